// One voucher: its pictures, its data, what was decided, and deciding on it.
import { api, ask, drive, get, send } from "./ask.js";
import { attempt, element, table, tell } from "./draw.js";
import * as key from "./key.js";
import { crumbs } from "./tree.js";
import { say, time } from "./words.js";

const badge = (word) => element("span", { className: `badge ${word}` }, say(word));

/** The pictures of a voucher, the one called `first` in front. */
function pictures(path, names, first) {
  const shown = [
    ["reviewed.png", say("Reviewed")], ["voucher.png", say("Form")],
    ...names.filter((name) => /^scan-\d+\.(jpg|png)$/.test(name)).map((name) => [name, name]),
    ["match.png", say("Comparison")],
  ].filter(([name]) => names.includes(name));
  const image = element("div", { className: "picture" });
  const tabs = element("div", { className: "tabs", role: "tablist" });
  const choose = (name, label) => {
    // Every look at a picture is one request, and leaves one trace.
    const source = drive(`${path}/${name}`);
    image.replaceChildren(element("a", { href: source, target: "_blank", title: say("In its full size") },
      element("img", { src: source, alt: `${label}: ${path}` })));
    for (const tab of tabs.children) tab.setAttribute("aria-selected", String(tab.dataset.name === name));
  };
  for (const [name, label] of shown) {
    const tab = element("button", { role: "tab", type: "button", onclick: () => choose(name, label) }, label);
    tab.dataset.name = name;
    tabs.append(tab);
  }
  const files = names.filter((name) => /\.(pdf|tif|json|note|tlog-proof)$/.test(name));
  const links = files.map((name) => element("a", { href: drive(`${path}/${name}`), download: name }, name));
  const front = [first, "voucher.png"].map((wanted) => shown.find(([name]) => name === wanted)).find(Boolean);
  if (shown.length) choose(...(front ?? shown[0]));
  return element("section", {}, tabs, image,
    element("div", { className: "row" }, element("span", { className: "quiet" }, say("Files")), links));
}

/** What was decided on the scans, by whom, and what they show otherwise. */
function comparison({ image_set, decided_by, reason, report }) {
  const open = (report?.fields ?? []).filter((field) => field.verdict !== "match");
  return element("section", {}, element("h2", {}, say("Comparison")),
    element("p", {}, badge(image_set), ` ${decided_by}: ${[reason, report?.reason].filter(Boolean).join("; ")}`),
    open.length > 0 && element("div", { className: "panel" },
      table([say("Field"), say("Expected"), say("Seen"), say("Why"), ""], open.map((field) =>
        [field.name, field.expected, field.seen, field.reason, badge(field.verdict)]))));
}

function data(voucher) {
  const facts = [["Number", voucher.number], ["Date", voucher.date], ["Currency", voucher.currency],
    ["Attachments", voucher.attachments], ["Preparer", voucher.preparer], ["Reviewer", voucher.reviewer],
    ["Bookkeeper", voucher.bookkeeper], ["Cashier", voucher.cashier]];
  const amount = (value) => ({ kind: "amount", value });
  const lines = voucher.lines.map((line) => [line.summary, [line.account, line.subaccount].filter(Boolean).join(" / "),
    amount(line.debit), amount(line.credit)]);
  return element("section", {}, element("h2", {}, say("Data")), element("div", { className: "panel" },
    table([say("Summary"), say("Account"), amount(say("Debit")), amount(say("Credit"))], lines)),
    element("div", { className: "panel" }, table([], facts.filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [{ kind: "quiet", value: say(name) }, String(value)]))));
}

function history(told) {
  const events = [
    ...told.versions.map((it) => [it, `voucher.json, ${it.version}`]),
    ...told.scans.map((it) => [it, it.files.map((file) => file.name).join(", ")]),
    ...(told.matches ?? []).map((it) => [it, element("a",
      { href: drive(`${told.path}/match.json`) + `?version=${it.version}`, target: "_blank" }, say(it.verdict))]),
    ...(told.submissions ?? []).map((it) => [it, say("submitted")]),
    ...(told.reviews ?? []).map((it) => [it, say(it.decision === "approve" ? "approved" : "rejected")]),
  ].sort(([one], [other]) => one.entry - other.entry);
  return element("section", {}, element("h2", {}, say("History")), element("div", { className: "panel" },
    table([say("When"), say("Who"), say("What"), say("Entry")],
      events.map(([it, what]) => [{ kind: "time", value: time(it.time) }, it.by, what, String(it.entry)]))),
    told.views && element("h2", {}, say("Who looked")),
    told.views && element("div", { className: "panel" }, told.views.length
      ? table([say("Who"), say("Times"), say("First"), say("Last")], told.views.map((it) => [it.by, String(it.views),
        { kind: "time", value: time(it.first) }, { kind: "time", value: time(it.last) }]))
      : element("div", { className: "empty" }, say("There is nothing here."))));
}

/** The form of a reviewer. */
async function reviewing(path, person, again) {
  const own = await key.has(person.key?.outside ? person.key.vkey : undefined).catch(() => false);
  const comment = element("textarea", { id: "comment", maxLength: 700 });
  const password = element("input", { id: "password", type: "password", autocomplete: "current-password" });
  const decide = (decision) => async (event) => attempt(event.target, async () => {
    const wish = { decision, comment: comment.value };
    if (own) {
      const { statement } = await send("POST", api("review-statement", { path }), wish);
      wish.note = await key.note(person.key.vkey, statement);
    } else wish.password = password.value;
    await ask("PUT", drive(`${path}/review.json`), JSON.stringify(wish));
    tell(say(decision === "approve" ? "approved" : "rejected"));
    await again();
  });
  return element("form", { className: "panel", onsubmit: (event) => event.preventDefault() },
    element("h2", { style: "margin-top:0" }, say("Review")),
    element("label", { htmlFor: "comment" }, say("Why, if the pictures are not complete or you reject it")), comment,
    own ? element("p", { className: "quiet" }, say("Signed with the key of this browser")) : [
      element("label", { htmlFor: "password" }, say("Your password signs it")), password],
    element("div", { className: "row end" },
      element("button", { type: "button", className: "no", onclick: decide("reject") }, say("Reject")),
      element("button", { type: "button", className: "main", onclick: decide("approve") }, say("Approve"))));
}

/** The form of a preparer, who stands by what they prepared. */
async function submitting(path, person, again) {
  const own = await key.has(person.key?.outside ? person.key.vkey : undefined).catch(() => false);
  const password = element("input", { id: "submit-password", type: "password", autocomplete: "current-password" });
  const submit = (event) => attempt(event.target, async () => {
    const wish = { decision: "submit" };
    if (own) {
      const { statement } = await send("POST", api("review-statement", { path }), wish);
      wish.note = await key.note(person.key.vkey, statement);
    } else wish.password = password.value;
    await ask("PUT", drive(`${path}/review.json`), JSON.stringify(wish));
    await again();
  });
  return element("form", { className: "panel", onsubmit: (event) => event.preventDefault() },
    element("h2", { style: "margin-top:0" }, say("Sign as its preparer")),
    own ? element("p", { className: "quiet" }, say("Signed with the key of this browser")) : [
      element("label", { htmlFor: "submit-password" }, say("Your password signs it")), password],
    element("div", { className: "row end" }, element("button", { type: "button", className: "main", onclick: submit }, say("Submit"))));
}

/** The form of somebody who settles what the machine could not, or corrects it. */
function settling(path, seen, again) {
  const reason = element("textarea", { id: "reason", maxLength: 700 });
  const settle = (verdict) => (event) => attempt(event.target, async () => {
    // What somebody else decides in the meantime is not overruled unseen.
    await ask("PUT", drive(`${path}/match.json`), JSON.stringify({ verdict, reason: reason.value }), { "if-match": seen });
    await again();
  });
  return element("form", { className: "panel", onsubmit: (event) => event.preventDefault() },
    element("h2", { style: "margin-top:0" }, say("Settle the comparison")),
    element("label", { htmlFor: "reason" }, say("Reason")), reason,
    element("div", { className: "row end" },
      element("button", { type: "button", className: "no", onclick: settle("mismatch") }, say("The scan shows something else")),
      element("button", { type: "button", onclick: settle("match") }, say("The scan shows the voucher"))));
}

/** Everything about the voucher at `path`. */
export async function voucher(path, person, again) {
  const { children } = await get(api("tree", { path }));
  const names = children.map((child) => child.name);
  const told = await get(drive(`${path}/history.json`));
  const rights = await get(api("rights", { path }));
  const content = await get(drive(`${path}/voucher.json`));
  const decides = rights.review && told.review === "waiting";
  const decision = names.includes("match.json") && await ask("GET", drive(`${path}/match.json`));
  const decided = decision && await decision.json();
  const seen = decision && decision.headers.get("etag");
  const isOpen = ["unsure", "mismatch"].includes(told.image_set);
  const settles = rights.review && isOpen;
  // What was called a match by mistake is taken back as well, but that is not what one comes for.
  const corrects = rights.review && told.image_set === "complete";
  return element("div", {}, crumbs(path),
    element("h1", {}, `${say("Voucher")} ${content.number} `, badge(told.image_set), " ", badge(told.review)),
    element("div", { className: "voucher" },
      element("div", {}, pictures(path, names, isOpen ? "match.png" : "voucher.png"),
        decided && comparison(decided), data(content), history(told)),
      element("aside", {}, rights.submit && await submitting(path, person, again),
        decides && await reviewing(path, person, again), settles && settling(path, seen, again),
        corrects && element("details", {}, element("summary", {}, say("The comparison is wrong")), settling(path, seen, again)),
        !decides && !settles && !rights.submit && element("div", { className: "panel quiet" }, say("Review"), ": ", say(told.review)))));
}
