// Making elements. Text is always set as text, never as markup: it comes from vouchers and from people.

/** An element with properties and children; `false` and `null` children are left out. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && key !== "list") made[key] = value;
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== false && child !== null && child !== undefined));
  return made;
}

/** A table of rows, each a list of cells: texts, elements, or `{ value, kind }` with a class. */
export function table(heads, rows) {
  const cell = (name) => (it) => it && typeof it === "object" && "kind" in it
    ? element(name, { className: it.kind }, it.value ?? "") : element(name, {}, it ?? "");
  return element("table", {},
    element("thead", {}, element("tr", {}, heads.map(cell("th")))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map(cell("td"))))));
}

/** Says something for a moment. */
export function tell(text, bad = false) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.className = bad ? "shown bad" : "shown";
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { said.className = ""; }, bad ? 9000 : 3500);
}

/** Does something that a button asks for; the button waits, and a refusal is said. */
export async function attempt(button, work) {
  button.disabled = true;
  try {
    return await work();
  } catch (error) {
    tell(error.message, true);
    return undefined;
  } finally {
    button.disabled = false;
  }
}
