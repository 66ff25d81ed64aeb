// Services beside ours, as anybody would write them with @apollo/subgraph: badges for sites, items and members, and pages
// that know sites by their slug only; readers and shelves beside the library. `given` holds data, with references in it.

const badgesText = /* GraphQL */ `
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

const pagesText = /* GraphQL */ `
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

function pages(given) {
  const homepages = given.slugs.map((slug) => ({ address: `https://${slug}.example`, site: { slug } }));
  return { Query: { homepages: () => homepages } };
}

function badges(given) {
  return {
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
}

const readersText = /* GraphQL */ `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])

  type Query {
    readers: [Reader!]!
  }

  type Reader @key(fields: "email") {
    email: ID!
    name: String
    booksWritten: Int @shareable
    yearsActive: Int!
  }
`;

function readers() {
  const all = [
    { email: "anna@example.nl", name: "Of readers", booksWritten: 130, yearsActive: 10 },
    { email: "bram@example.nl", name: "Of readers", booksWritten: null, yearsActive: 4 },
  ];
  return {
    Query: { readers: () => all },
    Reader: { __resolveReference: ({ email }) => all.find((each) => each.email === email) },
  };
}

const shelvesText = /* GraphQL */ `
  extend schema
    @link(
      url: "https://specs.apollo.dev/federation/v2.3"
      import: ["@key", "@external", "@requires", "@shareable"]
    )

  type Query {
    shelf(id: ID!): Shelf
  }

  interface Shelf @key(fields: "id") {
    id: ID!
  }

  type OpenShelf implements Shelf @key(fields: "id") {
    id: ID!
    books: [Book!]!
  }

  type Book @key(fields: "id") {
    id: ID!
    dimensions: Size @external
    postage: String @requires(fields: "dimensions { size weight }")
  }

  type Size @shareable {
    size: String
    weight: Float
  }
`;

function shelves() {
  const books = [{ id: "apart" }, { id: "secret" }, { id: "beyond" }];
  return {
    Query: { shelf: (_, { id }) => (id === "shelf-1" ? { __typename: "OpenShelf", id, books: [books[0], books[2]] } : null) },
    Shelf: { __resolveReference: ({ id }) => ({ __typename: "OpenShelf", id }) },
    OpenShelf: { __resolveReference: ({ id }) => ({ id, books }) },
    Book: {
      __resolveReference: (reference) => reference,
      postage: ({ dimensions }) => `${dimensions.size}, ${dimensions.weight}`,
    },
  };
}

const SETS = {
  square: { badges: [badgesText, badges], pages: [pagesText, pages] },
  library: { readers: [readersText, readers], shelves: [shelvesText, shelves] },
};

// The services of a set: name, text and schema of each.
export function servicesOf(require, { set, ...given }) {
  const { buildSubgraphSchema } = require("@apollo/subgraph");
  const { parse } = require("graphql");
  return Object.entries(SETS[set]).map(([name, [text, resolvers]]) => {
    return { name, typeDefs: parse(text), schema: buildSubgraphSchema({ typeDefs: parse(text), resolvers: resolvers(given) }) };
  });
}
