// GraphQL subscriptions over the protocol graphql-transport-ws: as its own client speaks it, and as one that is wrong.
const { createClient } = require("graphql-ws");
const WebSocket = require("ws");
const { until, happen } = require("./happen.cjs");

const PROTOCOL = "graphql-transport-ws";
const INIT = { type: "connection_init" };
const SUBSCRIBE = { type: "subscribe", id: "1", payload: { query: "subscription { __typename }" } };

/** What a client does wrong, and the code with which the connection is closed (PROTOCOL.md of graphql-ws). */
const wrongs = (stream) => {
  const subscribe = { type: "subscribe", id: "1", payload: { query: stream.document, variables: stream.variables } };
  return [
    ["no message", ["{"], 4400],
    ["no type", [{}], 4400],
    ["an unknown type", [INIT, { type: "unknown" }], 4400],
    ["no initialisation", [SUBSCRIBE], 4401],
    ["one initialisation too many", [INIT, INIT], 4429],
    ["an id that is taken", [INIT, subscribe, subscribe], 4409],
  ];
};

async function mistake(url, [what, messages, code], patience, report) {
  const socket = new WebSocket(url, PROTOCOL);
  let closed = null;
  socket.on("open", () => messages.forEach((it) => socket.send(typeof it === "string" ? it : JSON.stringify(it))));
  socket.on("close", (code) => (closed = code));
  socket.on("error", () => {});
  await until(() => closed !== null, patience);
  socket.terminate();
  if (closed !== code) report.find("close code", what, `${closed} and not ${code}`);
  report.count("mistakes");
}

async function follow(client, { name, document, variables, triggers }, patience, report) {
  const items = [];
  let error = null;
  const sink = { next: (result) => items.push(result), error: (found) => (error = found), complete: () => {} };
  const stop = client.subscribe({ query: document, variables }, sink);
  report.count("streams");
  if (triggers.length > 0) {
    await happen(triggers, () => items.length > 0 || error, patience);
    const good = items.filter(({ data, errors }) => data && !errors);
    if (error || good.length === 0) {
      const what = error instanceof Error ? error.message : JSON.stringify(error ?? items);
      report.find("not heard", name, `${what} came, and ${triggers[0].url} was called`);
    } else {
      report.count("heard");
      report.count("items", good.length);
    }
  }
  stop();
}

require("./report.cjs").run(async ({ host, port, patience, streams }, report) => {
  const url = `ws://${host}:${port}/graphql/ws`;
  let connected = false;
  const on = { connected: () => (connected = true) };
  const client = createClient({ url, webSocketImpl: WebSocket, lazy: false, retryAttempts: 0, on, onNonLazyError: () => {} });
  if (!(await until(() => connected, patience))) return report.find("not connected", url, "no connection_ack came");
  for (const stream of streams) await follow(client, stream, patience, report);
  await client.dispose();
  for (const wrong of wrongs(streams[0])) await mistake(url, wrong, patience, report);
});
