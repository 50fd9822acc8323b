// Who looked at what.
import { api, get } from "./ask.js";
import { element, table } from "./draw.js";
import { link } from "./tree.js";
import { say, time } from "./words.js";

function rows(traces) {
  return table([say("When"), say("Who"), say("What"), say("From"), say("Client"), say("Entry")],
    traces.map((it) => [{ kind: "time", value: time(it.time) }, it.name,
      element("a", { href: link(it.path) }, `${it.path}/${it.file}`), it.from, it.client, String(it.entry)]));
}

async function bursts() {
  // Not for everybody; anything else that goes wrong is said.
  const found = await get(api("bursts")).catch((error) => {
    if (error.status === 403) return { bursts: [] };
    throw error;
  });
  return found.bursts.length > 0 && element("div", { className: "panel" },
    element("h2", { style: "margin-top:0", className: "fault" }, say("Bursts")),
    table([say("Who"), say("When"), say("Until"), say("Vouchers"), say("Times")], found.bursts.map((it) => [it.name,
      { kind: "time", value: time(it.from) }, { kind: "time", value: time(it.until) }, String(it.vouchers), String(it.views)])));
}

/** Traces of a path (it begins with a slash) or of a person. */
export async function traces(asked) {
  const query = asked.startsWith("/") ? { path: asked } : { user: asked };
  const field = element("input", { id: "of", value: asked });
  const page = element("div", {}, element("h1", {}, say("Traces")),
    element("form", { className: "panel", onsubmit: (event) => {
      event.preventDefault();
      location.hash = "#/traces/" + encodeURIComponent(field.value);
    } }, element("label", { htmlFor: "of" }, say("A path or a person")), field,
    element("div", { className: "row" }, element("button", {}, say("Show")),
      element("a", { href: api("traces", { ...query, form: "csv" }), download: "traces.csv" }, say("Export as CSV")),
      element("a", { href: api("traces", { ...query, form: "ndjson" }), download: "traces.ndjson" }, say("Export as NDJSON")))),
    await bursts());
  const list = element("div", { className: "panel" });
  page.append(list);
  const add = async (after) => {
    const { traces, next } = await get(api("traces", { ...query, after }));
    if (!after && !traces.length) list.append(element("div", { className: "empty" }, say("There is nothing here.")));
    else if (traces.length) list.append(rows(traces));
    if (next) list.append(element("button", { onclick: (event) => { event.target.remove(); add(next); } }, say("More")));
  };
  await add();
  return page;
}
