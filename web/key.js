// A signing key that never leaves this browser: Ed25519 by WebCrypto, not extractable, kept in IndexedDB. Notes and
// verifier keys have the form of C2SP signed-note.

const STORE = "keys";
const ED25519 = 1;

function opened() {
  return new Promise((done, failed) => {
    const request = indexedDB.open("vouchsafe", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

async function stored(mode, work) {
  const base = await opened();
  return new Promise((done, failed) => {
    const change = base.transaction(STORE, mode);
    const request = work(change.objectStore(STORE));
    change.oncomplete = () => done(request.result);
    change.onerror = () => failed(change.error);
  });
}

const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const utf8 = (text) => new TextEncoder().encode(text);

async function described(name, pair) {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const typed = new Uint8Array([ED25519, ...raw]);
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array([...utf8(name + "\n"), ...typed]));
  const id = new Uint8Array(digest).slice(0, 4);
  const hex = [...id].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { id, vkey: `${name}+${hex}+${base64(typed)}` };
}

/** Makes a key with this name and keeps it here, beside any other until it is the current one; gives its public half. */
export async function make(name) {
  const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  const { vkey } = await described(name, pair);
  await stored("readwrite", (store) => store.put(pair, vkey));
  return vkey;
}

/** Whether this browser has the private half of a key. */
export async function has(vkey) {
  return Boolean(vkey && globalThis.indexedDB && await stored("readonly", (store) => store.get(vkey)));
}

/** A text, signed with a key of this browser, as a note. */
export async function note(vkey, text) {
  const pair = await stored("readonly", (store) => store.get(vkey));
  const name = vkey.split("+")[0];
  const { id } = await described(name, pair);
  const signature = new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, utf8(text)));
  return `${text}\n— ${name} ${base64(new Uint8Array([...id, ...signature]))}\n`;
}
