// A page of a site whose types are made from the schema: compiled strictly, then run against a gateway that knows these
// documents and no others. `node page.js <url> <token> <slug>` prints what it showed.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";

import { ChangeItemDocument, SitePageDocument, type ItemFragment, type SitePageQuery } from "./generated/graphql.js";
import type { Member, Query, Site } from "./generated/schema.js";

type Failure = { message: string; extensions: { code: string; field?: string } };
type Answer<T> = { data: T; errors?: Failure[] };
declare const process: { argv: string[]; stdout: { write(text: string): void } };
const [url = "", token = "", slug = ""] = process.argv.slice(2);

async function ask<T, V>(document: TypedDocumentNode<T, V>, variables: V): Promise<Answer<T>> {
  const { hash } = (document as { __meta__?: { hash: string } }).__meta__ ?? {};
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const body = JSON.stringify({ documentId: hash, variables });
  const answer = await fetch(url, { method: "POST", headers, body });
  return (await answer.json()) as Answer<T>;
}

function describe(item: ItemFragment): string {
  switch (item.__typename) {
    case "Event":
      return `${item.title} at ${item.location} on ${item.startsAt.slice(0, 10)}`;
    case "Poll":
      return `${item.title}: ${item.options.map((each) => each.text).join(" or ")}`;
    default:
      // @ts-expect-error: other kinds have no place
      void item.location;
      return `${item.title} by ${item.author?.account?.name ?? "nobody"}`;
  }
}

function itemsOf({ site }: SitePageQuery): ItemFragment[] {
  // @ts-expect-error: a site may not be there
  void site.content;
  return site?.content.edges.flatMap(({ node }) => (node ? [node] : [])) ?? [];
}

const first = await ask(SitePageDocument, { slug, first: 3 });
const pageInfo = first.data.site?.content.pageInfo;
const second = await ask(SitePageDocument, { slug, after: pageInfo?.endCursor ?? null, filter: { kinds: ["BLOG", "EVENT"] } });
const items = [...itemsOf(first.data), ...itemsOf(second.data)];
const late = await ask(ChangeItemDocument, { input: { id: items[0]?.id ?? "", version: 9, title: "te laat" } });

// Whole types, as `typescript` makes them, say the same.
const node: Query["node"] = null;
const role = (member: Member): string => `${member.account?.name ?? "somebody"}, ${member.role}`;
const levels = ({ access, visibility }: Site) => [access, visibility] as const;
// @ts-expect-error: an input needs its version
void (() => ask(ChangeItemDocument, { input: { id: "x", title: "y" } }));
// @ts-expect-error: there is no such kind
void (() => ask(SitePageDocument, { slug, filter: { kinds: ["NOTE"] } }));
void [node, role, levels];

process.stdout.write(
  JSON.stringify({
    items: items.map(describe),
    conflict: late.errors?.map(({ extensions }) => [extensions.code, extensions.field]),
  }),
);
