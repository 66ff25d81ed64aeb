// Runs every audit of graphql-http against an address; prints [{id, name, status, reason}].
import { createRequire } from "node:module";

const [home, url] = process.argv.slice(2);
const { serverAudits } = createRequire(`${home}/`)("graphql-http");
const results = [];
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const { status, reason } = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status, reason });
}
console.log(JSON.stringify(results));
