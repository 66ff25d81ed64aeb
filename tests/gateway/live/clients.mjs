// npm's graphql-ws and graphql-sse against a running gateway: `node clients.mjs <home> <url> <token> <site> <slug>`.
// Prints, for each client, what it heard: the titles of three items that it publishes itself over HTTP.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [home, url, token, site] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${home}/package.json`));
const ws = require("graphql-ws");
const sse = require("graphql-sse");
const WebSocketImpl = require("ws");

const authorization = `Bearer ${token}`;
const query = "subscription ($site: ID!) { contentChanged(site: $site) { cursor content { title } } }";
const publish = `mutation ($input: CreateContentInput!) { createContent(input: $input) { content { id } } }`;

async function ask(text, variables) {
  const headers = { "content-type": "application/json", authorization };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query: text, variables }) });
  const body = await answer.json();
  if (body.errors) throw new Error(JSON.stringify(body.errors));
  return body.data;
}

const input = (title) => ({ input: { site, kind: "BLOG", title, body: "Tekst" } });
const titles = ["een", "twee", "drie"];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Publishes until the first one is heard, as no client is told when its subscription has begun; then the others.
async function listen(subscribe) {
  const heard = [];
  const ended = subscribe((result) => heard.push(result.data ? result.data.contentChanged.content.title : result));
  while (heard.length === 0) {
    await ask(publish, input("nul"));
    await pause(100);
  }
  await pause(300);
  for (const title of titles) await ask(publish, input(title));
  for (let tries = 0; tries < 100 && heard.at(-1) !== "drie"; tries++) await pause(50);
  await ended();
  return heard.filter((title) => title !== "nul");
}

function with_client(client) {
  return (next) => {
    const stop = client.subscribe({ query, variables: { site } }, { next, error: next, complete() {} });
    return async () => {
      stop();
      await client.dispose();
    };
  };
}

async function refused(client) {
  const bad = { query: "subscription ($site: ID!) { contentChanged(site: $site) { contentId } }", variables: { site: "x" } };
  return await new Promise((done) => {
    const sink = { next: (result) => done(result.errors[0].extensions.code), complete() {} };
    client.subscribe(bad, { ...sink, error: (errors) => done(errors[0].extensions?.code ?? String(errors)) });
  });
}

const over_ws = (more = {}) =>
  ws.createClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocketImpl,
    connectionParams: { authorization },
    keepAlive: 200,
    ...more,
  });
const over_sse = (singleConnection) => sse.createClient({ url, headers: { authorization }, singleConnection });

const results = {
  "graphql-ws": await listen(with_client(over_ws())),
  "graphql-sse, distinct connections": await listen(with_client(over_sse(false))),
  "graphql-sse, single connection": await listen(with_client(over_sse(true))),
};
const clients = [over_ws(), over_sse(false), over_sse(true)];
results.refused = await Promise.all(clients.map(refused));
await Promise.all(clients.map((client) => client.dispose()));
const once = over_ws();
results.query = await new Promise((done, fail) =>
  once.subscribe({ query: "{ viewer { account { name } } }" }, { next: done, error: fail, complete() {} }),
);
await once.dispose();
console.log(JSON.stringify(results));
process.exit(0);
