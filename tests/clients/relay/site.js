// What a page of a site asks, as an application with Relay would write it. The compiler reads this file; it never runs.
import { graphql } from "react-relay";

graphql`
  query siteQuery($slug: String!, $count: Int!) {
    site(slug: $slug) {
      name
      ...siteContent @arguments(count: $count)
    }
  }
`;

graphql`
  fragment siteContent on Site
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 2 }
    cursor: { type: "String" }
    kinds: { type: "[ContentKind!]" }
  )
  @refetchable(queryName: "siteContentPaginationQuery") {
    content(first: $count, after: $cursor, orderBy: OLDEST, filter: { kinds: $kinds })
      @connection(key: "site_content", filters: ["filter"]) {
      __id
      totalCount
      edges {
        node {
          id
          kind
          ...siteItem
        }
      }
    }
  }
`;

graphql`
  fragment siteItem on Content @refetchable(queryName: "siteItemRefetchQuery") {
    __typename
    title
    version
    author {
      account {
        name
      }
    }
    ... on Event {
      startsAt
    }
    comments(last: 3) {
      edges {
        node {
          body
        }
      }
    }
  }
`;

graphql`
  query siteFeedQuery {
    viewer {
      account {
        name
      }
      sites(first: 3) @connection(key: "viewer_sites") {
        edges {
          node {
            slug
          }
        }
      }
    }
    ...siteFeed
  }
`;

graphql`
  fragment siteFeed on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "siteFeedPaginationQuery") {
    feed(first: $count, after: $cursor) @connection(key: "site_feed") {
      edges {
        node {
          id
          title
        }
      }
    }
  }
`;

graphql`
  fragment siteMembers on Site
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "siteMembersPaginationQuery") {
    members(last: $count, before: $cursor) @connection(key: "site_members") {
      edges {
        node {
          role
        }
      }
    }
  }
`;

graphql`
  mutation sitePublishMutation($input: CreateContentInput!, $connections: [ID!]!) {
    createContent(input: $input) {
      content @appendNode(connections: $connections, edgeTypeName: "ContentEdge") {
        id
        kind
        ...siteItem
      }
    }
  }
`;

graphql`
  mutation siteChangeMutation($input: UpdateContentInput!) {
    updateContent(input: $input) {
      content {
        title
        version
      }
    }
  }
`;

graphql`
  mutation siteDeleteMutation($input: DeleteContentInput!, $connections: [ID!]!) {
    deleteContent(input: $input) {
      deletedId @deleteEdge(connections: $connections)
    }
  }
`;

graphql`
  subscription siteFollowSubscription($site: ID!) {
    contentChanged(site: $site) {
      action
      contentId
      content {
        ...siteItem
      }
    }
  }
`;
