// Services beside Plein, as anybody would write them with @apollo/subgraph: badges for sites, items and members, and pages
// that know sites by their slug only. Each function gives a schema; `given` holds its data, with references in it.

export const badgesText = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.3"
      import: ["@key", "@external", "@requires", "@provides", "@shareable", "@interfaceObject"]
    )

  type Query {
    badges: [Badge!]!
    badge(id: ID!): Badge
    mostRated: [Content]!
  }

  type Badge @key(fields: "id") {
    id: ID!
    name: String!
    site: Site
    item: Content
    member: Member
    account: Account
  }

  type Site @key(fields: "id") {
    id: ID!
    slug: String! @external
    name: String! @external
    badges: [Badge!]!
    slogan: String! @requires(fields: "name slug")
  }

  type Content @interfaceObject @key(fields: "id") {
    id: ID!
    rating: Int!
  }

  type Member @key(fields: "site { id } account { id }") {
    site: Site
    account: Account
    points: Int!
  }

  type Account @key(fields: "id") {
    id: ID!
    nickname: String!
  }

  type PageInfo @shareable {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
`;

export const pagesText = /* GraphQL */ `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])

  type Query {
    homepages: [Homepage!]!
  }

  type Homepage {
    address: String!
    site: Site
  }

  type Site @key(fields: "slug", resolvable: false) {
    slug: String!
  }
`;

export function pages(require, given) {
  const { buildSubgraphSchema } = require("@apollo/subgraph");
  const { parse } = require("graphql");
  const homepages = given.slugs.map((slug) => ({ address: `https://${slug}.example`, site: { slug } }));
  return buildSubgraphSchema({ typeDefs: parse(pagesText), resolvers: { Query: { homepages: () => homepages } } });
}

export function badges(require, given) {
  const { buildSubgraphSchema } = require("@apollo/subgraph");
  const { parse } = require("graphql");
  const resolvers = {
    Query: {
      badges: () => given.badges,
      badge: (_, { id }) => given.badges.find((each) => each.id === id),
      mostRated: () => given.badges.filter((each) => each.item).map((each) => each.item),
    },
    Badge: { __resolveReference: ({ id }) => given.badges.find((each) => each.id === id) },
    Site: {
      __resolveReference: (reference) => reference,
      badges: ({ id }) => given.badges.filter((each) => each.site?.id === id),
      slogan: ({ name, slug }) => `${name} (${slug}) shines`,
    },
    Content: { __resolveReference: (reference) => reference, rating: ({ id }) => id.length },
    Member: {
      __resolveReference: (reference) => reference,
      points: ({ site, account }) => (site.id && account.id ? 7 : 0),
    },
    Account: { __resolveReference: (reference) => reference, nickname: ({ id }) => `nick-${id.slice(-4)}` },
  };
  return buildSubgraphSchema({ typeDefs: parse(badgesText), resolvers });
}
