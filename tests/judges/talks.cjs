// Streams both ways over a WebSocket, as the client `ws` speaks it: one JSON text a message, an empty one as the end, a
// close code that says how it went (RFC 6455, 7.4.1).
const WebSocket = require("ws");
const { until } = require("./happen.cjs");

const NORMAL = 1000;

/** What a client sends that it should not, and the code with which it is answered, or in a race another. */
const wrongs = (items) => [
  ["half of an item", [JSON.stringify(items[0]).slice(0, -1)], 1007],
  ["a list", ["[]"], 1007],
  ["two items in one", [JSON.stringify(items[0]).repeat(2)], 1007],
  ["an unknown member", [JSON.stringify({ ...items[0], no_such_member: 1 })], 1007],
  ["a wrong one after a right one", [JSON.stringify(items[0]), "null"], 1007],
  ["bytes", [Buffer.from(JSON.stringify(items[0]))], 1003],
  // Who goes on sending may find the connection closed before the answer is read.
  ["too much", [`"${"x".repeat(2 << 20)}"`], 1009, 1006],
];

/** One conversation, to its end. */
async function talk(url, messages, patience) {
  const socket = new WebSocket(url);
  const heard = { items: [], error: null, code: null, pong: false };
  socket.on("open", () => {
    socket.ping("there?");
    messages.forEach((message) => socket.send(message));
  });
  socket.on("pong", (data) => (heard.pong ||= data.toString() === "there?"));
  socket.on("message", (data, binary) => {
    const item = binary ? undefined : JSON.parse(data.toString());
    if (item && Object.keys(item).join() === "error" && item.error.status) heard.error = item.error;
    else heard.items.push(item);
  });
  socket.on("close", (code) => (heard.code = code));
  socket.on("error", () => {});
  await until(() => heard.code !== null, patience);
  socket.terminate();
  return heard;
}

require("./report.cjs").run(async ({ host, port, patience, streams }, report) => {
  for (const { name, target, items } of streams) {
    const url = `ws://${host}:${port}${target}`;
    const said = await talk(url, [...items.map((item) => JSON.stringify(item)), ""], patience);
    if (said.code === null) report.find("no end", name, "it is open after all was said");
    else if ((said.code === NORMAL) !== (said.error === null)) {
      report.find("close code", name, `${said.code}, and ${said.error ? "an" : "no"} error`);
    }
    if (said.items.some((item) => item === undefined)) report.find("bytes", name, "an answer is no text");
    if (!said.pong) report.find("no pong", name, "a ping had no answer (RFC 6455, 5.5.2)");
    report.count("streams");
    report.count("items", said.items.length);
    for (const [what, messages, code, other] of wrongs(items)) {
      const { error, code: came } = await talk(url, messages, patience);
      if (other && came === other) continue;
      if (came !== code) report.find("close code", `${name}, ${what}`, `${came} and not ${code}`);
      else if (!error || !error.detail) report.find("error", `${name}, ${what}`, "nothing says what is wrong");
      report.count("mistakes");
    }
  }
});
