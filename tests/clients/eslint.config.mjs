// What graphql-eslint holds the schema and the documents to. What is turned off has its reason here.
import graphql from "@graphql-eslint/eslint-plugin";

const on = { languageOptions: { parser: graphql.parser }, plugins: { "@graphql-eslint": graphql } };

export default [
  {
    ...on,
    files: ["schema.graphql"],
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      // Lists that are short by nature (tags, options of a poll, reactions by kind, ids that were asked for) need no pages.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
      "@graphql-eslint/require-description": [
        "error",
        {
          types: true,
          rootField: true,
          DirectiveDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
        },
      ],
      "@graphql-eslint/input-name": ["error", { checkInputType: true, caseSensitiveInputType: false }],
      "@graphql-eslint/no-scalar-result-type-on-mutation": "error",
      // It asks an id of everything. A page of a list, a payload or a count is a part of another thing and has none; the
      // other way round, that whatever has an `id` is a Node, is what clients' caches need: tests/schema/test_changes.py.
      "@graphql-eslint/strict-id-in-types": "off",
    },
  },
  {
    ...on,
    files: ["documents/*.graphql"],
    rules: {
      ...graphql.configs["flat/operations-recommended"].rules,
      "@graphql-eslint/selection-set-depth": ["error", { maxDepth: 15 }], // the gateway's own limit
    },
  },
];
