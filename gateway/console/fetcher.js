// How GraphiQL speaks to /graphql: one POST, the token of the session, and server-sent events for a subscription and for
// an answer in parts.
"use strict";
window.pleinFetcher = (() => {
  const JSON_TYPES = "application/graphql-response+json, application/json;q=0.9";

  async function post(params, own, accept, signal) {
    const headers = { "content-type": "application/json", accept, ...own };
    const written = Object.keys(headers).some((name) => name.toLowerCase() === "authorization");
    const authorization = written ? null : await window.pleinSession.authorization();
    if (!authorization) return send(params, headers, signal);
    const response = await send(params, { ...headers, authorization }, signal);
    if (response.status !== 401) return response;
    await window.pleinSession.renew(); // the gateway was started anew with another secret, or its clock ran ahead
    return send(params, { ...headers, authorization: await window.pleinSession.authorization() }, signal);
  }

  async function send(params, headers, signal) {
    try {
      return await fetch("/graphql", { method: "POST", headers, body: JSON.stringify(params), signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The gateway does not answer. Is it still running?");
    }
  }

  async function answer(params, headers) {
    const response = await post(params, headers, JSON_TYPES);
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(`The gateway answered ${response.status} with something that is not JSON.`);
    }
  }

  async function* events(params, headers) {
    const controller = new AbortController();
    try {
      const response = await post(params, headers, `text/event-stream, ${JSON_TYPES};q=0.5`, controller.signal);
      if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
        yield await response.json();
        return;
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ;) {
        const { value, done } = await reader.read();
        if (done) return;
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const lines = block.split("\n");
          if (lines.includes("event: complete")) return;
          const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
          if (data.trim()) yield JSON.parse(data);
        }
      }
    } finally {
      controller.abort();
    }
  }

  function isSubscription(params, documentAST) {
    const operations = documentAST?.definitions.filter((each) => each.kind === "OperationDefinition") ?? [];
    const chosen = operations.find((each) => each.name?.value === params.operationName) ?? operations[0];
    return chosen?.operation === "subscription";
  }

  const hasLater = (params) => /@\s*(defer|stream)\b/.test(params.query);

  return (params, options) =>
    isSubscription(params, options?.documentAST) || hasLater(params)
      ? events(params, options?.headers ?? {})
      : answer(params, options?.headers ?? {});
})();
