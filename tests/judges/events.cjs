// Streams of server-sent events, followed by an EventSource as browsers have it.
const { EventSource } = require("eventsource");
const { cuttable } = require("./cut.cjs");
const { until, happen } = require("./happen.cjs");

/** Follows one stream: something happens, the connection is cut, something happens, it is heard by who comes back. */
async function follow(service, { name, target, triggers }, patience, report) {
  const cut = await cuttable(service);
  const ids = [];
  let opened = 0, ended = false, last = null;
  const asked = (url, init) => {
    last = init.headers["Last-Event-ID"] ?? last;
    return fetch(url, init);
  };
  const source = new EventSource(`http://127.0.0.1:${cut.port}${target}`, { fetch: asked });
  source.addEventListener("open", () => (opened += 1));
  source.addEventListener("message", (event) => {
    JSON.parse(event.data);
    ids.push(event.lastEventId);
  });
  // What is over is said, so that nobody comes back for more.
  source.addEventListener("end", () => {
    ended = true;
    source.close();
  });
  try {
    if (!(await until(() => opened === 1, patience))) return report.find("not opened", name, target);
    report.count("streams");
    if (triggers.length === 0) return;
    await happen(triggers, () => ids.length > 0, patience);
    if (ids.length === 0) return report.find("not heard", name, `nothing came, and ${triggers[0].url} was called`);
    const before = ids.length;
    cut.now();
    // While nobody listens.
    await happen(triggers.slice(0, 1), () => true, patience);
    await until(() => ids.length > before, patience);
    if (ids.length === before) return report.find("not resumed", name, `asked again from ${last}, nothing came`);
    if (last !== ids[before - 1]) report.find("not resumed", name, `came back from ${last}, not ${ids[before - 1]}`);
    if (new Set(ids).size !== ids.length) report.find("heard twice", name, ids.join(", "));
    report.count("heard");
    report.count("items", ids.length);
  } finally {
    source.close();
    cut.close();
  }
}

require("./report.cjs").run(async ({ host, port, patience, streams }, report) => {
  for (const stream of streams) await follow({ host, port }, stream, patience, report);
});
