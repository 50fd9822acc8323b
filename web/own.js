// The caller's own account: rights, password, signing key; and the scans of their inbox that have no place.
import { api, ask, drive, get, send } from "./ask.js";
import { attempt, element, table, tell } from "./draw.js";
import * as key from "./key.js";
import { link } from "./tree.js";
import { say, time } from "./words.js";

function passwordForm() {
  const old = element("input", { id: "old", type: "password", autocomplete: "current-password" });
  const fresh = element("input", { id: "new", type: "password", autocomplete: "new-password" });
  const change = (event) => attempt(event.target, async () => {
    await send("PUT", api("own/password"), { old: old.value, new: fresh.value });
    location.hash = "#/";
    location.reload();
  });
  return element("form", { className: "panel", onsubmit: (event) => event.preventDefault() },
    element("h2", { style: "margin-top:0" }, say("Change password")),
    element("label", { htmlFor: "old" }, say("Old password")), old,
    element("label", { htmlFor: "new" }, say("New password")), fresh,
    element("div", { className: "row end" }, element("button", { type: "button", onclick: change }, say("Change password"))));
}

async function keyForm(person, again) {
  const password = element("input", { id: "key-password", type: "password", autocomplete: "current-password" });
  const keep = (made) => (event) => attempt(event.target, async () => {
    const vkey = made && await key.make(person.key_name);
    await send("PUT", api("own/key"), { password: password.value || null, vkey: vkey || null });
    tell("✓");
    await again();
  });
  return element("form", { className: "panel", onsubmit: (event) => event.preventDefault() },
    element("h2", { style: "margin-top:0" }, say("Signing key")),
    person.key ? element("p", {}, element("code", {}, person.key.vkey)) : element("p", { className: "quiet" }, say("None yet: the first review makes one.")),
    element("label", { htmlFor: "key-password" }, say("Password")), password,
    element("div", { className: "row" },
      element("button", { type: "button", onclick: keep(true) }, say("Keep the key in this browser")),
      element("button", { type: "button", onclick: keep(false) }, say("Let the archive keep a new key under my password"))));
}

export async function account(person, again) {
  return element("div", {}, element("h1", {}, person.name),
    element("div", { className: "panel" }, element("h2", { style: "margin-top:0" }, say("What you may do")),
      table([], person.grants.map((grant) => [grant.role, grant.scope,
        `${say("Until")} ${grant.until ? time(grant.until) : say("for ever")}`]))),
    person.reviews && await keyForm(person, again), passwordForm());
}

/** Files a scan of the inbox with the voucher at `path`, under the next free name, and takes it out of the inbox. */
async function file(name, path) {
  const { children } = await get(api("tree", { path }));
  const taken = children.map((child) => child.name.split(".")[0]);
  let number = 1;
  while (taken.includes(`scan-${number}`)) number += 1;
  const ending = name.split(".").pop().toLowerCase().replace("jpeg", "jpg").replace("tiff", "tif");
  const scan = await (await ask("GET", drive(`/_inbox/${name}`))).blob();
  await ask("PUT", drive(`${path}/scan-${number}.${ending}`), scan, { "if-none-match": "*" });
  await ask("DELETE", drive(`/_inbox/${name}`));
}

export async function unplaced(again) {
  const scans = await get(api("unplaced"));
  return element("div", {}, element("h1", {}, say("Unplaced scans")), element("div", { className: "panel" },
    scans.length ? table([say("Name"), say("Why it has no place"), say("Candidates")], scans.map((scan) => [
      element("a", { href: drive(`/_inbox/${scan.name}`), target: "_blank" }, scan.name), scan.reason,
      element("span", {}, scan.candidates.map((path) => element("div", { className: "row" }, element("a", { href: link(path) }, path),
        element("button", { type: "button", onclick: (event) => attempt(event.target, async () => {
          await file(scan.name, path);
          await again();
        }) }, say("File it there")))))]))
      : element("div", { className: "empty" }, say("Every scan has found its voucher."))));
}
