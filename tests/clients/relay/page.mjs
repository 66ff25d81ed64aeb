// A page of a site with react-relay, on documents that relay-compiler made: `node page.mjs <json>`, where the JSON gives
// url (runs nothing but these documents), open (runs any), token, site, slug. Prints what the page showed, step by step.
import { createRequire } from "node:module";
import React from "react";
import relay from "react-relay";
import runtime from "relay-runtime";
import TestRenderer from "react-test-renderer";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
globalThis.IS_REACT_NATIVE_TEST_ENVIRONMENT = true; // or the renderer complains that it is old
const { act, createElement, Suspense } = React;
const { RelayEnvironmentProvider, useFragment, useLazyLoadQuery, usePaginationFragment, useRefetchableFragment } = relay;
const { commitMutation, Environment, Network, Observable, RecordSource, requestSubscription, Store } = runtime;
const { url, open, token, site, slug } = JSON.parse(process.argv[2]);
const require = createRequire(import.meta.url);
const document = (name) => require(`./__generated__/${name}.graphql.js`);
const authorization = `Bearer ${token}`;
const told = { complaints: [], requests: [] };
console.error = console.warn = (...words) => {
  // What others do comes when it comes, not only while this page waits for it.
  if (!String(words[0]).includes("not wrapped in act(")) told.complaints.push(words.map(String).join(" "));
};
setTimeout(() => {
  throw new Error(`it takes too long: ${JSON.stringify(told)}`);
}, 40_000).unref();

async function post(to, body) {
  const headers = { "content-type": "application/json", authorization };
  return (await fetch(to, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

const socket = createClient({
  url: url.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: { authorization },
});

const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(
    async (request, variables) => {
      told.requests.push(request.name);
      return post(url, { documentId: request.id, variables });
    },
    (request, variables) =>
      Observable.create((sink) => socket.subscribe({ query: "", documentId: request.id, variables }, sink)),
  ),
});

const shown = {}; // what each component has at this moment, and what it can do

function Item({ item }) {
  const [data, refetch] = useRefetchableFragment(document("siteItem"), item);
  shown.items[data.title] = { data, refetch };
  return createElement("li", null, data.title);
}

function Content({ site }) {
  const list = usePaginationFragment(document("siteContent"), site);
  Object.assign(shown, { list, items: {} });
  const items = list.data.content.edges.filter(({ node }) => node); // null where a site cannot answer
  return items.map(({ node }) => createElement(Item, { key: node.id, item: node }));
}

function Feed({ query }) {
  shown.feed = usePaginationFragment(document("siteFeed"), query);
  return null;
}

function Page() {
  const data = useLazyLoadQuery(document("siteQuery"), { slug, count: 2 });
  const mine = useLazyLoadQuery(document("siteFeedQuery"), {});
  shown.mine = mine;
  return [
    createElement("h1", { key: 1 }, data.site.name),
    createElement(Content, { key: 2, site: data.site }),
    createElement(Feed, { key: 3, query: mine }),
  ];
}

let tree;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// Waits until what is on the page is so.
async function until(holds, what) {
  for (let tries = 0; tries < 200; tries++) {
    if (holds()) return;
    await act(() => wait(25));
  }
  throw new Error(`never so: ${what}; ${JSON.stringify(tree.toJSON())} ${told.complaints}`);
}

const titles = () => tree.root.findAllByType("li").map((each) => each.children[0]);
const more = (list, count) =>
  act(() => new Promise((done, fail) => list.loadNext(count, { onComplete: (error) => (error ? fail(error) : done()) })));

function mutate(name, variables) {
  return act(
    () =>
      new Promise((done, fail) =>
        commitMutation(environment, {
          mutation: document(name),
          variables,
          onCompleted: (response, errors) => done({ response, errors }),
          onError: fail,
        }),
      ),
  );
}

const app = createElement(RelayEnvironmentProvider, { environment }, createElement(Suspense, { fallback: "…" }, createElement(Page)));
await act(async () => (tree = TestRenderer.create(app)));
await until(() => tree.root.findAllByType("h1").length && shown.feed, "the first page");
told.first = { titles: titles(), hasNext: shown.list.hasNext, totalCount: shown.list.data.content.totalCount };
told.mine = { name: shown.mine.viewer.account.name, sites: shown.mine.viewer.sites.edges.map((each) => each.node.slug) };

await more(shown.list, 2);
told.second = { titles: titles(), hasNext: shown.list.hasNext };
await more(shown.list, 10);
told.last = { titles: titles(), hasNext: shown.list.hasNext };
await more(shown.feed, 2);
told.feed = shown.feed.data.feed.edges.map((each) => each.node.title);

// Somebody else changes an item: the page knows by asking for this one node again.
const id = shown.list.data.content.edges[0].node.id;
const change = "mutation ($input: UpdateContentInput!) { updateContent(input: $input) { content { version } } }";
await post(open, { query: change, variables: { input: { id, version: 1, title: "een, anders" } } });
await act(async () => shown.items["een"].refetch({}, { fetchPolicy: "network-only" }));
await until(() => titles().includes("een, anders"), "the item as it is now");
told.refetched = { titles: titles(), version: shown.items["een, anders"].data.version };

// Its version was read before that: refused, and nothing on the page changes.
const { errors } = await mutate("siteChangeMutation", { input: { id, version: 1, title: "te laat" } });
told.conflict = errors.map((each) => [each.extensions.code, each.extensions.field]);
told.afterConflict = titles();

const connections = [shown.list.data.content.__id];
const input = { site, kind: "EVENT", title: "zes", access: "PUBLIC", event: { startsAt: "2027-03-01T10:00:00Z" } };
await mutate("sitePublishMutation", { input, connections });
told.published = { titles: titles(), startsAt: shown.items["zes"].data.startsAt };

// Followed: what somebody else does comes by itself, and so does what this page does.
const events = [];
const following = requestSubscription(environment, {
  subscription: document("siteFollowSubscription"),
  variables: { site },
  onNext: (data) => events.push([data.contentChanged.action, data.contentChanged.contentId === id]),
  onError: (error) => told.complaints.push(String(error)),
});
for (let version = 2; !events.length; version++) {
  await post(open, { query: change, variables: { input: { id, version, title: `een, voor de ${version}e keer` } } });
  await act(() => wait(150));
}
await until(() => titles()[0].endsWith("e keer"), "the item as somebody else made it");
told.followed = events[0];

const last = shown.list.data.content.edges.at(-1).node.id;
await mutate("siteDeleteMutation", { input: { id: last }, connections });
await until(() => titles().length === 5, "the item is gone");
told.deleted = shown.list.data.content.edges.length;
following.dispose();

await act(async () => shown.list.refetch({ kinds: ["NEWS"] }));
await until(() => !titles().some((each) => each.startsWith("een")), "only news");
told.filtered = titles();
await act(async () => tree.unmount());
await socket.dispose();
process.stdout.write(JSON.stringify(told), () => process.exit(0));
