// Decodes traces as Apollo's own library does: `node trace.mjs <home> <base64>…`. Prints them as JSON.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [home, ...texts] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${home}/package.json`));
const { Trace } = require("@apollo/usage-reporting-protobuf");
const options = { longs: Number, defaults: false };
console.log(JSON.stringify(texts.map((text) => Trace.toObject(Trace.decode(Buffer.from(text, "base64")), options))));
