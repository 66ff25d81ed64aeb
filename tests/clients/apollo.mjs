// Apollo Client on a running gateway: `node apollo.mjs <json>`, where the JSON gives url, token, slug and site. The
// documents are those of documents/. Prints what the client held, step by step, and every request that it sent.
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { getMainDefinition, relayStylePagination } from "@apollo/client/utilities";
import { print } from "graphql";
import { createClient } from "graphql-ws";
import { filter, firstValueFrom } from "rxjs";
import WebSocket from "ws";

const { url, token, site, slug } = JSON.parse(process.argv[2]);
const headers = { authorization: `Bearer ${token}` };
const told = { complaints: [] };
console.error = console.warn = (...words) => told.complaints.push(words.map(String).join(" "));
setTimeout(() => {
  throw new Error(`it takes too long: ${JSON.stringify(told)}`);
}, 40_000).unref();

const text = (name) => readFileSync(new URL(`./documents/${name}.graphql`, import.meta.url), "utf-8");
const item = text("item");
function documentOf(name, operation) {
  const { definitions } = gql(text(name) + item);
  const [asked] = definitions.filter((each) => each.operation && (!operation || each.name.value === operation));
  const isUsed = print(asked).includes("...Item");
  return { kind: "Document", definitions: isUsed ? [asked, definitions.find((each) => !each.operation)] : [asked] };
}
const PAGE = documentOf("site-page");
const CHANGE = documentOf("write", "ChangeItem");
const DELETE = documentOf("write", "DeleteItem");
const FOLLOW = documentOf("follow");

const sent = []; // [method, how many operations, whether a text went with it]
async function watched(to, options) {
  const body = options.body ? JSON.parse(options.body) : null;
  const count = Array.isArray(body) ? body.length : 1;
  sent.push([options.method, count, body ? Boolean((body[0] ?? body).query) : new URL(to).searchParams.has("query")]);
  return fetch(to, options);
}

const TYPES = "{ __schema { types { name possibleTypes { name } } } }";
async function possibleTypes() {
  const asked = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query: TYPES }) };
  const { types } = (await (await fetch(url, asked)).json()).data.__schema;
  const several = types.filter((each) => each.possibleTypes);
  return Object.fromEntries(several.map((each) => [each.name, each.possibleTypes.map((type) => type.name)]));
}

const socket = createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, connectionParams: headers });
const POSSIBLE = await possibleTypes();

function client(http) {
  const isSubscription = ({ query }) => getMainDefinition(query).operation === "subscription";
  return new ApolloClient({
    link: ApolloLink.split(isSubscription, new GraphQLWsLink(socket), http),
    cache: new InMemoryCache({
      possibleTypes: POSSIBLE,
      typePolicies: {
        Site: { fields: { content: relayStylePagination(["filter", "orderBy"]) } },
        Viewer: { merge: true, fields: { sites: relayStylePagination(["filter", "orderBy"]) } },
      },
    }),
  });
}

const titlesOf = ({ site }) => site.content.edges.map(({ node }) => node.title);
const plain = client(new HttpLink({ uri: url, headers, fetch: watched }));

// Pages: one list in the cache, however many times it grew; things in it are kept by id.
const variables = { slug, first: 2 };
const list = plain.watchQuery({ query: PAGE, variables });
const seen = [];
list.subscribe(({ data, dataState }) => dataState === "complete" && seen.push(titlesOf(data)));
let { data } = await firstValueFrom(list.pipe(filter(({ dataState }) => dataState === "complete")));
told.first = { titles: titlesOf(data), totalCount: data.site.content.totalCount };
for (let page = data.site.content.pageInfo; page.hasNextPage; ) {
  const more = await list.fetchMore({ variables: { after: page.endCursor } });
  page = more.data.site.content.pageInfo;
}
await new Promise((done) => setTimeout(done)); // who watches is told in the next turn
({ data } = list.getCurrentResult());
told.all = titlesOf(data);
told.news = titlesOf((await plain.query({ query: PAGE, variables: { ...variables, filter: { kinds: ["NEWS"] } } })).data);
told.requests = sent.splice(0);
const again = await plain.query({ query: PAGE, variables });
told.cached = [titlesOf(again.data).length, sent.length];
const first = data.site.content.edges[0].node;
const third = data.site.content.edges[2].node;
const { __typename, id } = third;
told.byId = plain.cache.extract()[plain.cache.identify({ __typename, id })].title;

// A change that is shown before it is done. The second one was read before the first: its promise is taken back.
const changed = (node, title) => ({
  mutation: CHANGE,
  variables: { input: { id: node.id, version: node.version, title } },
  optimisticResponse: {
    updateContent: { __typename: "UpdateContentPayload", content: { ...node, title, version: node.version + 1 } },
  },
});
seen.splice(0);
await plain.mutate(changed(first, "een, anders"));
await plain.mutate(changed(first, "te laat")).catch((error) => {
  if (!CombinedGraphQLErrors.is(error)) throw error;
  told.conflict = error.errors.map(({ path, extensions }) => [path[0], extensions.code, extensions.field]);
});
told.shown = seen.map((titles) => titles[0]).filter((title, index, all) => title !== all[index - 1]);

// What others do comes by the subscription, and into the list by its id.
const events = [];
const following = plain.subscribe({ query: FOLLOW, variables: { site } }).subscribe({
  next: ({ data, error }) => events.push(error ?? data.contentChanged),
  error: (error) => told.complaints.push(String(error)),
});
const other = client(new HttpLink({ uri: url, headers }));
for (let version = 2; !events.length; version++) {
  await other.mutate({ mutation: CHANGE, variables: { input: { id: first.id, version, title: `${version} keer` } } });
  await new Promise((done) => setTimeout(done, 150));
}
told.followed = [events[0].action, events[0].contentId === first.id, typeof events[0].cursor];
told.inTheList = /^\d+ keer$/.test(titlesOf(list.getCurrentResult().data)[0]);
following.unsubscribe();
await plain.mutate({
  mutation: DELETE,
  variables: { input: { id: third.id } },
  update(cache, { data }) {
    const { deletedId } = data.deleteContent;
    cache.evict({ id: cache.identify({ __typename: third.__typename, id: deletedId }) });
    cache.gc();
  },
});
told.deleted = titlesOf(list.getCurrentResult().data).slice(1);
sent.splice(0);

// Persisted documents: the hash alone, the text once when nobody knows it, and then the hash alone for everybody.
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const persisting = () =>
  client(
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(new HttpLink({ uri: url, headers, fetch: watched })),
  );
const OWN = gql`query Own${site.slice(-8)} { site(slug: "${slug}") { id name } }`; // nobody has sent it before
for (let times = 0; times < 2; times++) await persisting().query({ query: OWN });
told.persisted = sent.splice(0);

// Several operations in one body; one that fails takes no other with it.
const batched = client(new BatchHttpLink({ uri: url, headers, fetch: watched, batchInterval: 20 }));
const asked = [`{ viewer { account { id name } } }`, `{ site(slug: "${slug}") { id name content(after: "x") { totalCount } } }`, `{ site(slug: "${slug}") { id slug } }`];
const answers = await Promise.allSettled(asked.map((query) => batched.query({ query: gql(query) })));
told.batch = answers.map(({ value, reason }) => (value ? Object.keys(value.data)[0] : reason.errors[0].extensions.code));
told.batchRequests = sent.splice(0);

// A sign-in that is over: a coded error, whatever the status.
const stranger = client(new HttpLink({ uri: url, headers: { authorization: "Bearer x" } }));
told.stranger = await stranger.query({ query: PAGE, variables }).then(
  () => "let in",
  (error) => error.errors?.[0]?.extensions.code ?? String(error),
);
[plain, other, batched].forEach((each) => each.stop());
await socket.dispose();
process.stdout.write(JSON.stringify(told), () => process.exit(0));
