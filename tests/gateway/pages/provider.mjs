// npm's oidc-provider as an issuer: the packages' folder, then the address of the gateway that signs in with it.
// It prints its own address. `POST /control/rotate` gives it new keys, `/control/drop` forgets the old ones.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const [home, gateway] = process.argv.slice(2);
const require = createRequire(`${home}/index.js`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));

let number = 0;
const newKey = () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${++number}`, use: "sig", alg: "RS256" };
};
const at = (key, path = "callback") => `${gateway}/sign-in/at/${key}/${path}`;
const client = (key, more) => ({
  client_id: `plein-${key}`,
  redirect_uris: [at(key)],
  post_logout_redirect_uris: [`${gateway}/sign-out`],
  backchannel_logout_uri: at(key, "logout"),
  backchannel_logout_session_required: true,
  response_types: ["code"],
  grant_types: ["authorization_code"],
  ...more,
});

const assertionKey = JSON.parse(process.env.ASSERTION_KEY);
const keys = [newKey()];
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}`;

const make = () =>
  new Provider(url, {
    clients: [
      client("basic", { client_secret: "s3:cret/+with odd", token_endpoint_auth_method: "client_secret_basic" }),
      client("post", { client_secret: "another-secret", token_endpoint_auth_method: "client_secret_post" }),
      client("public", { token_endpoint_auth_method: "none" }),
      client("signed", { token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [assertionKey] } }),
    ],
    jwks: { keys },
    cookies: { keys: ["a key of the test"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "locale"] },
    features: {
      devInteractions: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    // Left to itself it tells nothing to clients on this machine.
    fetch: (address, { dispatcher: _, ...options }) => fetch(address, options),
    pkce: { required: () => true },
    async findAccount(_context, id) {
      const claims = { sub: id, email: `${id}@example.nl`, email_verified: true, name: `Person ${id}`, locale: "nl" };
      return { accountId: id, claims: async () => claims };
    },
  });

let handler = make().callback();
server.on("request", (request, response) => {
  if (request.url === "/control/rotate" || request.url === "/control/drop") {
    if (request.url === "/control/rotate") keys.unshift(newKey());
    else keys.splice(1);
    handler = make().callback();
    response.end();
  } else {
    handler(request, response);
  }
});
console.log(JSON.stringify({ url }));
