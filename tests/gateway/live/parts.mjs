// Clients from npm that take answers in parts, against a running gateway: `node parts.mjs <home> <url> <token>`.
// Prints, for each, the answer it merged, and whether it showed a part of it before the whole.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [home, url, token] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${home}/package.json`));
const apollo = require("@apollo/client");
const incremental = require("@apollo/client/incremental");
const urql = require("@urql/core");
const { meros } = require("meros/browser");
const ws = require("graphql-ws");
const sse = require("graphql-sse");
const WebSocketImpl = require("ws");

const authorization = `Bearer ${token}`;
const headers = { authorization };
const late = (directive) => `query Sites {
  viewer { sites { edges { node { id name ...Late ${directive} } } } }
  feed { edges { cursor node { id title } } }
}
fragment Late on Site { memberCount content { edges { node { id title author { account { id name } } } } } }`;
const whole = late("");
const deferred = late("@defer");
const streamed = deferred.replace("edges { cursor", "edges @stream(initialCount: 1) { cursor");

const json = { "content-type": "application/json", ...headers };
const plain = await (await fetch(url, { method: "POST", headers: json, body: JSON.stringify({ query: whole }) })).json();
if (plain.errors) throw new Error(JSON.stringify(plain.errors));

const shown = {};
const results = { whole: plain.data, shown };

async function with_apollo(name, handler, query) {
  const link = new apollo.HttpLink({ uri: url, headers });
  const cache = new apollo.InMemoryCache({ addTypename: false });
  const client = new apollo.ApolloClient({ link, cache, incrementalHandler: handler });
  shown[name] = false;
  await new Promise((done, fail) =>
    client.watchQuery({ query: apollo.gql(query), fetchPolicy: "no-cache", notifyOnNetworkStatusChange: true }).subscribe({
      next: (result) => {
        if (result.error) fail(result.error);
        if (result.dataState === "streaming") shown[name] = true;
        if (!result.loading) {
          results[name] = without_names(result.data);
          done();
        }
      },
      error: fail,
    }),
  );
  client.stop();
}

// Apollo Client asks for `__typename` everywhere by itself.
function without_names(value) {
  if (Array.isArray(value)) return value.map(without_names);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (key === "__typename" ? [] : [[key, without_names(inner)]])),
  );
}

await with_apollo("apollo", new incremental.GraphQL17Alpha9Handler(), streamed);
await with_apollo("apollo, past", new incremental.Defer20220824Handler(), deferred);

// urql 6.0.3 puts streamed items beside their list where parts have ids, so it is asked for fragments only.
const exchanges = [urql.fetchExchange];
const client = urql.createClient({ url, preferGetMethod: false, exchanges, fetchOptions: { headers } });
shown.urql = false;
await new Promise((done, fail) =>
  client.query(deferred, {}).subscribe((result) => {
    if (result.error) fail(result.error);
    if (result.hasNext) shown.urql = true;
    else {
      results.urql = result.data;
      done();
    }
  }),
);

// The format's rules, for those that bring the parts and leave the merging to others.
function merger() {
  let data;
  const pending = {};
  const at = (path) => path.reduce((value, step) => value[step], data);
  return (payload) => {
    if (payload.errors) throw new Error(JSON.stringify(payload));
    if ("data" in payload) data = payload.data;
    for (const notice of payload.pending ?? []) pending[notice.id] = notice.path;
    for (const part of payload.incremental ?? []) {
      const place = at([...pending[part.id], ...(part.subPath ?? [])]);
      if (part.items) place.push(...part.items);
      else Object.assign(place, part.data);
    }
    return data;
  };
}

const accept = "multipart/mixed;incrementalSpec=v0.2";
const parts = await meros(
  await fetch(url, { method: "POST", headers: { ...json, accept }, body: JSON.stringify({ query: streamed }) }),
);
const merge = merger();
for await (const part of parts) {
  if (!part.json) throw new Error(part.body);
  results.meros = merge(part.body);
}

async function with_protocol(name, client) {
  const merge = merger();
  await new Promise((done, fail) =>
    client.subscribe(
      { query: streamed },
      { next: (result) => (results[name] = merge(result)), error: fail, complete: done },
    ),
  );
  await client.dispose();
}

await with_protocol(
  "graphql-ws",
  ws.createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocketImpl, connectionParams: { authorization } }),
);
await with_protocol("graphql-sse", sse.createClient({ url, headers }));
await with_protocol("graphql-sse, single", sse.createClient({ url, headers, singleConnection: true }));

console.log(JSON.stringify(results));
process.exit(0);
