// A provider of OpenID Connect for the tests: panva's oidc-provider (certified), with one client and whoever signs in.
// Usage: node provider.mjs FOLDER REDIRECT, where FOLDER has node_modules. Prints its issuer once it listens.
import { createRequire } from "node:module";
import http from "node:http";

const [folder, redirect] = process.argv.slice(2);
const load = createRequire(folder + "/");
const { default: Provider } = await import(load.resolve("oidc-provider"));

const server = http.createServer((request, response) => callback(request, response));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "vouchsafe", client_secret: "a-secret-of-the-tests", redirect_uris: [redirect] }],
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, preferred_username: id, email: `${id}@example.org`, email_verified: false }),
  }),
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: true } },
});
const callback = provider.callback();
console.log(issuer);
