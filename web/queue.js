// What waits for the caller's review, live: the server tells, nobody asks again and again.
import { api, get } from "./ask.js";
import { element, table } from "./draw.js";
import { link } from "./tree.js";
import { say, time } from "./words.js";

/** Listens to the caller's queue for as long as the page is open. */
export class Queue {
  waiting = new Map();
  changed = () => {};

  listen() {
    this.stream?.close();
    this.stream = new EventSource(api("queue/events"));
    this.stream.addEventListener("queue", async (event) => {
      const { vouchers, next } = JSON.parse(event.data);
      this.waiting = new Map(vouchers.map((it) => [it.path, it]));
      this.changed();
      await this.rest(next);
    });
    this.stream.addEventListener("waiting", (event) => {
      const it = JSON.parse(event.data);
      this.waiting.set(it.path, it);
      this.changed();
    });
    this.stream.addEventListener("decided", (event) => {
      this.waiting.delete(JSON.parse(event.data).path);
      this.changed();
    });
  }

  async rest(after) {
    while (after) {
      const page = await get(api("queue", { after }));
      for (const it of page.vouchers) this.waiting.set(it.path, it);
      after = page.next;
      this.changed();
    }
  }

  close() {
    this.stream?.close();
    this.waiting.clear();
  }

  draw() {
    const rows = [...this.waiting.values()].sort((one, other) => one.filed < other.filed ? -1 : 1);
    return element("div", {}, element("h1", {}, say("Waiting for you")), element("div", { className: "panel" },
      rows.length ? table([say("Voucher"), say("Filed"), say("Image set")], rows.map((it) => [
        element("a", { href: link(it.path) }, it.path), { kind: "time", value: time(it.filed) },
        element("span", { className: `badge ${it.image_set}` }, say(it.image_set))]))
        : element("div", { className: "empty" }, say("Nothing waits for you."))));
  }
}
