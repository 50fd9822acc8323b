// Folders of the tree.
import { api, get } from "./ask.js";
import { element, table } from "./draw.js";
import { say, time } from "./words.js";

export const link = (path) => "#/at" + path.split("/").map(encodeURIComponent).join("/");

/** The way down to a place. */
export function crumbs(path) {
  const steps = path.split("/").filter(Boolean);
  return element("div", { className: "crumbs" },
    element("a", { href: "#/at/" }, say("Vouchers")),
    steps.map((step, at) => at + 1 < steps.length
      ? element("a", { href: link("/" + steps.slice(0, at + 1).join("/")) }, step)
      : element("span", {}, step)));
}

/** What is below a folder; gives null where the place is a voucher. */
export async function folder(path) {
  const body = element("div", { className: "panel" });
  let after = "";
  const rows = async () => {
    const { children, next } = await get(api("tree", { path, after }));
    return { children, next };
  };
  const first = await rows();
  if (first.children.some((child) => child.name === "voucher.json")) return null;
  const shown = first.children.filter((child) => child.folder && !child.name.startsWith("_"));
  const list = table([say("Name"), say("Last")], []);
  const add = (children) => list.tBodies[0].append(...children.map((child) => element("tr", {},
    element("td", {}, element("a", { href: link(`${path === "/" ? "" : path}/${child.name}`) }, child.name)),
    element("td", { className: "time" }, time(child.modified)))));
  add(shown);
  body.append(shown.length ? list : element("div", { className: "empty" }, say("There is nothing here.")));
  if (first.next) {
    after = first.next;
    const more = element("button", { onclick: async () => {
      const page = await rows();
      add(page.children.filter((child) => child.folder));
      after = page.next;
      if (!after) more.remove();
    } }, say("More"));
    body.append(element("div", { className: "row" }, more));
  }
  return element("div", {}, crumbs(path), body);
}
