// What the console opens with: one tab per example. GraphiQL names a tab after its operation.
"use strict";
window.pleinExamples = [
  {
    query: `# A site, what was written on it lately, and who says what about it.
query SiteWithContent($slug: String!) {
  site(slug: $slug) {
    id
    name
    content(first: 10) {
      totalCount
      edges {
        cursor
        node {
          id
          kind
          title
          commentCount
          author { account { name } }
          comments(first: 3) {
            edges { node { body author { account { name } } } }
          }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`,
    variables: { slug: "" },
  },
  {
    query: `# All my sites in one request, with the latest of each.
query MySites {
  viewer {
    account { name }
    sites(first: 20) {
      edges {
        node {
          slug
          name
          content(first: 3) {
            edges { node { title kind author { account { name } } } }
          }
        }
      }
    }
  }
}
`,
  },
  {
    query: `# What is new on all my sites, newest first. Put endCursor in "after" for the next page.
query Feed($after: String) {
  feed(first: 20, after: $after) {
    edges { node { id kind title commentCount author { account { name } } } }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: { after: null },
  },
  {
    query: `# Opens a site: its own schema, its own database role. The same idempotencyKey twice opens one site.
mutation OpenSite($input: CreateSiteInput!) {
  createSite(input: $input) {
    site { id slug state }
  }
}
`,
    variables: {
      input: {
        name: "Buurtplein",
        slug: "buurtplein",
        description: "Waar de buurt meedenkt.",
        access: "ACCOUNTS",
        visibility: "PUBLIC",
        joining: "OPEN",
        idempotencyKey: "buurtplein-1",
      },
    },
  },
  {
    query: `# Stays open, and tells what happens on a site: publish something there from another window.
subscription Follow($site: ID!) {
  contentChanged(site: $site) {
    action
    content { id kind title author { account { name } } }
  }
}
`,
    variables: { site: "" },
  },
].map(({ query, variables }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : undefined,
}));
