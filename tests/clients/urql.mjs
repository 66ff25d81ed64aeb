// urql on a running gateway: `node urql.mjs <json>`, where the JSON gives url, token, slug and site. The documents are those
// of documents/. Prints what the client held, step by step, and every request that it sent.
import { readFileSync } from "node:fs";
import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { cacheExchange as graphcache } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { persistedExchange } from "@urql/exchange-persisted";
import { getIntrospectionQuery, parse, print } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const { url, token, site, slug } = JSON.parse(process.argv[2]);
const authorization = `Bearer ${token}`;
const told = { complaints: [] };
console.error = console.warn = (...words) => told.complaints.push(words.map(String).join(" "));
setTimeout(() => {
  throw new Error(`it takes too long: ${JSON.stringify(told)}`);
}, 40_000).unref();

const text = (name) => readFileSync(new URL(`./documents/${name}.graphql`, import.meta.url), "utf-8");
function documentOf(name, operation) {
  const { definitions } = parse(text(name));
  const asked = print(definitions.find((each) => each.operation && (!operation || each.name.value === operation)));
  return asked.includes("...Item") ? gql(asked + text("item")) : gql(asked);
}
const PAGE = documentOf("site-page");
const PUBLISH = documentOf("write", "PublishItem");
const CHANGE = documentOf("write", "ChangeItem");
const FOLLOW = documentOf("follow");

const sent = []; // [method, whether a text went with it]
async function watched(to, options = {}) {
  const { method = "GET", body } = options;
  sent.push([method, body ? Boolean(JSON.parse(body).query) : new URL(to).searchParams.has("query")]);
  return fetch(to, options);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const titlesOf = ({ site }) => site.content.edges.map(({ node }) => node.title);
const codes = ({ error }) => error.graphQLErrors.map(({ extensions }) => [extensions.code, extensions.field ?? null]);
const socket = createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, connectionParams: { authorization } });

const signedIn = { fetch: watched, fetchOptions: { headers: { authorization } } };
const client = (exchanges, more = signedIn) =>
  new Client({ url, preferGetMethod: false, exchanges, ...more });

async function listen(subscriber, mutate) {
  const heard = [];
  const { unsubscribe } = subscriber.subscription(FOLLOW, { site }).subscribe(({ data, error }) => {
    heard.push(error ? String(error) : [data.contentChanged.action, data.contentChanged.content?.title]);
  });
  for (let number = 1; !heard.length; number++) {
    await mutate(number);
    await pause(150);
  }
  unsubscribe();
  return heard[0];
}

// The simple cache: documents and variables.
const simple = client([cacheExchange, fetchExchange]);
told.simple = titlesOf((await simple.query(PAGE, { slug, first: 10 })).data);
const once = sent.length;
told.simpleAgain = [titlesOf((await simple.query(PAGE, { slug, first: 10 })).data).length, sent.length - once];
const { id, version } = (await simple.query(PAGE, { slug, first: 10 })).data.site.content.edges[0].node;
const changed = await simple.mutation(CHANGE, { input: { id, version, title: "een, anders" } });
told.changed = [changed.data.updateContent.content.title, changed.data.updateContent.content.version];
const late = await simple.mutation(CHANGE, { input: { id, version, title: "te laat" } });
told.conflict = codes(late);
told.afterChange = titlesOf((await simple.query(PAGE, { slug, first: 10 })).data)[0]; // asked again: its type was changed
told.requests = sent.splice(0);

// The normalised cache, which checks all that it holds against the schema.
const asked = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query: getIntrospectionQuery() }) };
const { data: introspected } = await (await fetch(url, asked)).json();
const cache = () =>
  graphcache({
    schema: introspected,
    keys: { PollOption: () => null, ReactionCount: () => null, Viewer: () => null, ContentChanged: () => null },
    resolvers: { Site: { content: relayPagination() } },
    optimistic: {
      updateContent: ({ input }, held) => {
        const now = held.readFragment(gql(text("item")), { __typename: "Blog", id: input.id });
        return { __typename: "UpdateContentPayload", content: { ...now, title: input.title, version: input.version + 1 } };
      },
    },
    updates: {
      Mutation: {
        createContent: (_result, { input }, held) => held.invalidate({ __typename: "Site", id: input.site }, "content"),
      },
    },
  });
const overSocket = subscriptionExchange({
  forwardSubscription: (request) => ({ subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }) }),
});
const normal = client([cache(), fetchExchange, overSocket]);
const shown = [];
let page;
const variables = { slug, first: 2 };
const watching = normal.query(PAGE, variables).subscribe(({ data }) => data && shown.push(titlesOf((page = data))));
while (!page) await pause(10);
while (page.site.content.pageInfo.hasNextPage) {
  await normal.query(PAGE, { ...variables, after: page.site.content.pageInfo.endCursor });
  page = (await normal.query(PAGE, { ...variables, after: page.site.content.pageInfo.endCursor })).data;
}
told.pages = titlesOf(page);
shown.splice(0);
await normal.mutation(CHANGE, { input: { id, version: 2, title: "een, weer anders" } });
const refused = await normal.mutation(CHANGE, { input: { id, version: 2, title: "te laat" } });
told.refused = codes(refused);
told.shown = shown.map((titles) => titles[0]).filter((title, index, all) => title !== all[index - 1]);

// Subscriptions: over a WebSocket, and as an event stream by the same fetch as everything else.
told.overSocket = await listen(normal, (number) => simple.mutation(PUBLISH, { input: { site, kind: "STATUS", body: `Hallo ${number}`, access: "PUBLIC" } }));
watching.unsubscribe();
const streaming = client([fetchExchange], { ...signedIn, fetchSubscriptions: true });
told.overFetch = await listen(streaming, (number) => simple.mutation(PUBLISH, { input: { site, kind: "BLOG", title: `${number}`, body: "Tekst", access: "PUBLIC" } }));
sent.splice(0);

// Persisted documents: the hash alone, the text once when nobody knows it, and then the hash alone for everybody.
const OWN = gql(`query Own${site.slice(-8)} { site(slug: "${slug}") { name id } }`); // nobody has sent it before
for (let times = 0; times < 2; times++) {
  const persisting = client([persistedExchange(), fetchExchange]);
  told.own = (await persisting.query(OWN, {})).data.site.id === site;
}
told.persisted = sent.splice(0);

// A sign-in that is over is noticed by its code, renewed, and the question asked again.
const renewals = [];
const renewing = client(
  [
    authExchange(async (its) => {
      let current = "x";
      return {
        addAuthToOperation: (operation) => its.appendHeaders(operation, { authorization: `Bearer ${current}` }),
        didAuthError: (error) => error.graphQLErrors.some((each) => each.extensions?.code === "UNAUTHENTICATED"),
        async refreshAuth() {
          renewals.push(current);
          current = token;
        },
      };
    }),
    fetchExchange,
  ],
  { fetch: watched },
);
told.renewed = [(await renewing.query(`{ viewer { account { name } } }`, {})).data.viewer.account.name, renewals];
await socket.dispose();
process.stdout.write(JSON.stringify(told), () => process.exit(0));
