// Which page is shown: the part of the address after `#` says it.
import { api, ask, get, send } from "./ask.js";
import { attempt, element, tell } from "./draw.js";
import { account, unplaced } from "./own.js";
import { Queue } from "./queue.js";
import { traces } from "./traces.js";
import { folder } from "./tree.js";
import { voucher } from "./voucher.js";
import { say } from "./words.js";

const page = document.getElementById("page");
const queue = new Queue();
let person = null;

async function signIn() {
  const elsewhere = await get(api("oidc")).catch(() => null);
  const name = element("input", { id: "name", autocomplete: "username", required: true });
  const password = element("input", { id: "password", type: "password", autocomplete: "current-password", required: true });
  const button = element("button", { className: "main" }, say("Sign in"));
  return element("form", { className: "panel sign-in", onsubmit: (event) => {
    event.preventDefault();
    attempt(button, async () => {
      await send("POST", api("session"), { name: name.value, password: password.value }).catch((error) => {
        throw error.status === 401 ? new Error(say("The name or the password is wrong.")) : error;
      });
      await begin();
    });
  } }, element("h1", {}, say("Sign in")),
  element("label", { htmlFor: "name" }, say("Name")), name,
  element("label", { htmlFor: "password" }, say("Password")), password,
  element("div", { className: "row end" },
    elsewhere && element("a", { href: api("oidc/begin") }, `${say("Sign in at")} ${new URL(elsewhere.issuer).host}`), button));
}

function menu() {
  const at = location.hash || "#/";
  const entries = person ? [
    ["#/at/", say("Vouchers"), true],
    ["#/queue", say("Queue"), person.reviews],
    ["#/unplaced", say("Unplaced scans"), person.uploads],
    ["#/traces/" + encodeURIComponent(person.name), say("Traces"), true],
    ["#/own", say("My account"), true],
  ] : [];
  document.getElementById("menu").replaceChildren(...entries.filter(([, , shown]) => shown).map(([href, text]) => {
    const root = href.split("/").slice(0, 2).join("/");
    const link = element("a", { href }, text);
    if (at.startsWith(root)) link.setAttribute("aria-current", "page");
    if (href === "#/queue" && queue.waiting.size) link.append(element("span", { className: "count" }, String(queue.waiting.size)));
    return link;
  }));
  document.getElementById("person").replaceChildren(...person ? [element("span", {}, person.name),
    element("button", { className: "plain", onclick: async (event) => attempt(event.target, async () => {
      await ask("DELETE", api("session"));
      person = null;
      queue.close();
      location.hash = "#/";
      await show();
    }) }, say("Sign out"))] : []);
}

async function content() {
  if (!person) return signIn();
  const [, name = "", ...rest] = (location.hash || "#/").split("/");
  const path = "/" + rest.map(decodeURIComponent).filter(Boolean).join("/");
  switch (name) {
    case "queue": return queue.draw();
    case "unplaced": return unplaced(show);
    case "traces": return traces(decodeURIComponent(rest.join("/")) || person.name);
    case "own": return account(person, begin);
    default: return await folder(path) ?? voucher(path, person, show);
  }
}

async function show() {
  menu();
  const asked = location.hash;
  try {
    const drawn = await content();
    // A slower answer to an earlier question is not shown any more.
    if (asked === location.hash) page.replaceChildren(drawn);
  } catch (error) {
    if (error.status === 401) return leave();
    page.replaceChildren(element("div", { className: "panel fault" }, error.message));
  }
}

async function leave() {
  person = null;
  queue.close();
  await show();
}

async function begin() {
  person = await get(api("session")).catch(() => null);
  if (person?.reviews) queue.listen();
  await show();
}

queue.changed = () => {
  menu();
  if (location.hash === "#/queue") page.replaceChildren(queue.draw());
};
addEventListener("hashchange", show);
addEventListener("unhandledrejection", (event) => tell(event.reason?.message ?? String(event.reason), true));
begin();
