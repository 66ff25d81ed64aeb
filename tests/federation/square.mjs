// Ours and two other services behind one gateway: `node square.mjs <home> <gateway> <our url> <token> <data as JSON>`.
// Starts the others, asks ours for its schema as gateways do, composes all of them with the composers of both families,
// starts the gateway (hive, hive-router or apollo) over the result of its own family's, and prints one line of JSON: where
// it listens. It lives until standard input ends. GET /asked tells, and forgets, what each service was asked.
import { createRequire } from "node:module";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { servicesOf } from "./services.mjs";

const [home, way, plein, token, data] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${home}/package.json`));
const { createYoga } = require("graphql-yoga");
const { composeServices } = require("@apollo/composition");
const { composeServices: composeByTheGuild } = require("@theguild/federation-composition");
const { parse, validate } = require("graphql");

const listen = (handler) =>
  new Promise((done) => {
    const server = createServer(handler).listen(0, "127.0.0.1", () => done(server.address().port));
  });

const serve = async ({ name, typeDefs, schema }) => {
  const yoga = createYoga({ schema, logging: false, graphiql: false });
  return { name, typeDefs, url: `http://127.0.0.1:${await listen(yoga)}/graphql` };
};

const told = await fetch(plein, {
  method: "POST",
  headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
  body: JSON.stringify({ query: "{ _service { sdl } }" }),
});
const { sdl } = (await told.json()).data._service;
const services = [
  { name: "plein", url: plein, typeDefs: parse(sdl) },
  ...(await Promise.all(servicesOf(require, JSON.parse(data)).map(serve))),
];
const composed = composeServices(services);
const byTheGuild = composeByTheGuild(services);
const errors = [...(composed.errors ?? []), ...(byTheGuild.errors ?? [])].map(String);
if (errors.length) {
  console.log(JSON.stringify({ errors }));
  process.exit(0);
}

const asked = [];
const note = (url, { query, variables }) => {
  asked.push({ service: services.find((each) => each.url === url)?.name, query, variables: variables ?? {} });
};

async function hive(more) {
  const { createGatewayRuntime } = await import(pathToFileURL(require.resolve("@graphql-hive/gateway")));
  return createGatewayRuntime({
    supergraph: byTheGuild.supergraphSdl,
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get("authorization") }),
    },
    logging: false,
    maskedErrors: false,
    plugins: () => [{ onFetch: ({ url, options }) => note(url, JSON.parse(options.body)) }],
    ...more,
  });
}

async function apollo() {
  const { ApolloGateway, RemoteGraphQLDataSource } = require("@apollo/gateway");
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const gateway = new ApolloGateway({
    supergraphSdl: composed.supergraphSdl,
    logger: silent,
    buildService: ({ url }) =>
      new RemoteGraphQLDataSource({
        url,
        willSendRequest({ request, context }) {
          if (context.authorization) request.http.headers.set("authorization", context.authorization);
          note(url, request);
        },
      }),
  });
  await gateway.load({ apollo: {} });
  return async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
    const document = parse(query);
    const errors = validate(gateway.schema, document); // which Apollo Server does before it asks the gateway
    if (errors.length) return response.end(JSON.stringify({ errors }));
    const result = await gateway.executor({
      document,
      queryHash: createHash("sha256").update(query).digest("hex"),
      request: { query, variables, http: { headers: new Map() } },
      context: { authorization: request.headers.authorization },
      logger: silent,
      metrics: {},
      schema: gateway.schema,
    });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(result));
  };
}

const ways = {
  hive: () => hive({}),
  "hive-router": async () => {
    const { unifiedGraphHandler } = await import(pathToFileURL(require.resolve("@graphql-hive/router-runtime")));
    return hive({ unifiedGraphHandler });
  },
  apollo,
};
const gateway = await ways[way]();
const port = await listen((request, response) => {
  if (request.url !== "/asked") return gateway(request, response);
  response.setHeader("content-type", "application/json");
  return response.end(JSON.stringify(asked.splice(0)));
});
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, hints: composed.hints.map((each) => each.toString()) }));
process.stdin.on("end", () => process.exit(0)).resume();
