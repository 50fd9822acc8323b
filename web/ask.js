// Requests to the archive, and refusals as errors.

/** A refusal: what is wrong, which field it is about, and what to do. */
export class Refused extends Error {
  constructor(status, { error, field, hint }) {
    super([error, hint].filter(Boolean).join(": "));
    Object.assign(this, { status, field });
  }
}

/** Sends a request. The header is what only our own pages send (src/http/session.rs). */
export async function ask(method, url, body, headers = {}) {
  const response = await fetch(url, {
    method, body, headers: { "x-vouchsafe-page": "1", ...headers }, cache: "no-store", credentials: "same-origin",
  });
  if (!response.ok) {
    const refusal = await response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
    throw new Refused(response.status, refusal);
  }
  return response;
}

export const get = async (url) => (await ask("GET", url)).json();

export async function send(method, url, value) {
  const response = await ask(method, url, JSON.stringify(value), { "content-type": "application/json" });
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/** The address of a place of the tree on the drive. */
export const drive = (path) => "/dav" + path.split("/").map(encodeURIComponent).join("/");

/** The address of an interface with a query. */
export function api(name, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return `/api/v1/${name}` + (given.length ? "?" + new URLSearchParams(given) : "");
}
