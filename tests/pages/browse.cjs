// Opens every page that `cargo xtask dev` shows of a workspace in a real browser, which reaches nothing else:
//
//     node tests/pages/browse.cjs WORKSPACE PICTURES
//
// It reads what the pages render, tries one operation and one query, and takes pictures. Whatever a design says is to
// be seen as text: a dialog, a script that is not the page's, a complaint of the browser or a request to anywhere else
// is a failure. Then parts of the pages are spoiled, and those failures must come.

const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");

const [workspace, pictures] = process.argv.slice(2).map((place) => path.resolve(place));
const BROWSER = process.env.TESTBED_CHROMIUM ?? "/usr/bin/chromium";
// What a page may take, on a machine that has other work.
const PATIENCE = 60_000;

let passed = 0;
let failed = 0;

async function step(what, work) {
  const start = Date.now();
  let trouble = "";
  try {
    await work();
  } catch (error) {
    trouble = `\n  ${String(error.message ?? error).replaceAll("\n", "\n  ")}`;
  }
  trouble ? failed++ : passed++;
  console.log(`${trouble ? "FAILED" : "ok    "} ${what} (${((Date.now() - start) / 1000).toFixed(1)} s)${trouble}`);
}

function expect(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}

/** Text as it is read: what is blank counts once. */
const read = (text) => text.replace(/[\s\u200b\ufeff]+/g, " ").trim();

/** The services, running with the pages beside them, until `stop`. */
async function dev() {
  const child = spawn("cargo", ["xtask", "dev", "--free"], { cwd: workspace, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const at = new Promise((resolve, reject) => {
    const hear = (piece) => {
      said += piece;
      const found = said.match(/to read and to try: (http:\/\/127\.0\.0\.1:\d+)\n/);
      if (found) resolve(found[1]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.on("exit", (code) => reject(new Error(`dev has ended with ${code}:\n${said}`)));
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const stop = async () => {
    child.kill("SIGINT");
    return ended;
  };
  return { at: await at, stop };
}

/** A tab that notes what it should not see. */
async function open(browser, at) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  const troubles = [];
  page.on("dialog", (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) troubles.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:" && protocol !== "blob:" && origin !== at) troubles.push(`request elsewhere: ${request.url()}`);
  });
  await page.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
      console.error(`policy: ${violatedDirective} ${blockedURI} ${sample}`)));
  return { page, troubles };
}

/** Visits a page, and looks at it. */
async function visit(browser, at, where, look) {
  const { page, troubles } = await open(browser, at);
  try {
    const answer = await page.goto(at + where);
    expect(answer.status() === 200, `${where} is answered ${answer.status()}`);
    await look(page);
    const strange = await page.evaluate(() => {
      const scripts = [...document.scripts].filter(({ src }) => !src.startsWith(`${location.origin}/`));
      const handlers = [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some(({ name }) => name.startsWith("on")));
      return [...scripts, ...handlers].map((element) => element.outerHTML.slice(0, 200));
    });
    troubles.push(...strange.map((html) => `strange element: ${html}`));
    expect(troubles.length === 0, troubles.slice(0, 10).join("\n"));
  } finally {
    await page.close();
  }
}

const shot = (page, name) => page.screenshot({ path: path.join(pictures, `${name}.png`) });
const has = async (page, selector, texts) => {
  const text = read(await page.innerText(selector));
  for (const wanted of texts) expect(text.includes(read(wanted)), `no ${JSON.stringify(wanted)} in\n${text.slice(0, 3000)}`);
};

/** What OpenAPI says there is. */
function operations(document) {
  const verbs = ["get", "put", "post", "delete", "patch"];
  return Object.entries(document.paths).flatMap(([path, item]) => verbs.filter((verb) => item[verb]).map((verb) => ({ verb, path })));
}

async function openapi(page, document, texts) {
  const all = operations(document);
  await page.waitForFunction((count) => document.querySelectorAll(".opblock").length === count, all.length);
  const shown = await page.$$eval(".opblock-summary", (blocks) => blocks.map((block) =>
    `${block.querySelector(".opblock-summary-method").textContent.toLowerCase()} ${block.querySelector(".opblock-summary-path").dataset.path}`));
  for (const { verb, path } of all) expect(shown.includes(`${verb} ${path}`), `${verb} ${path} is not among\n${shown.join("\n")}`);
  await has(page, ".info", texts);
}

/** Tries an operation as a person would. Answers with the status that is shown. */
async function attempt(page, verb, path) {
  const block = page.locator(`.opblock-${verb}`, { has: page.locator(`[data-path="${path}"]`) });
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Execute" }).click();
  const status = block.locator(".live-responses-table .response .response-col_status");
  await status.waitFor();
  return { block, status: (await status.innerText()).trim() };
}

async function reference(page, document, texts) {
  await page.waitForSelector("h1");
  const wanted = [...Object.keys(document.operations ?? {}), ...(document.methods ?? []).map(({ name }) => name)];
  const names = (await page.$$eval("section h3", (heads) => heads.map((head) => head.lastChild.textContent)));
  for (const name of [...wanted, ...Object.keys(document.components?.schemas ?? {})])
    expect(names.includes(name), `${name} is not among ${names}`);
  await has(page, "#main", texts);
}

/** Asks in GraphiQL, and waits for an answer with a `__typename`. */
async function ask(page, query) {
  await page.waitForSelector(".graphiql-query-editor .CodeMirror");
  await page.evaluate((text) => document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.setValue(text), query);
  // What kind of operation it is, and so the way that it goes, GraphiQL knows a moment later.
  await page.waitForFunction((text) =>
    document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.documentAST?.loc.source.body === text, query);
  await page.click(".graphiql-execute-button");
  await page.waitForFunction(() =>
    document.querySelector(".result-window .CodeMirror").CodeMirror.getValue().includes("__typename"));
  return JSON.parse(await page.evaluate(() => document.querySelector(".result-window .CodeMirror").CodeMirror.getValue()));
}

/** Asks a query, and reads what the explorer tells of the schema. Answers with whether hostile texts were there to be read. */
async function graphiql(page, texts) {
  const answer = await ask(page, "{ __typename __schema { queryType { name fields { name description } } } }");
  expect(answer.data?.__typename, JSON.stringify(answer).slice(0, 500));
  const { name, fields } = answer.data.__schema.queryType;
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.locator(".graphiql-doc-explorer").getByRole("link", { name, exact: true }).first().click();
  await has(page, ".graphiql-doc-explorer", fields.map((field) => field.name));
  const told = fields.find(({ description }) => description?.includes("*/ end"));
  if (!told) return false;
  // The list has the first line only.
  await page.locator(".graphiql-doc-explorer").getByRole("link", { name: told.name, exact: true }).first().click();
  await page.waitForFunction((name) => document.querySelector(".graphiql-doc-explorer-title").textContent === name, told.name);
  await has(page, ".graphiql-doc-explorer", texts);
  return true;
}

/** Puts something in a file's place while `work` goes on. */
async function spoiled(file, spoil, work) {
  const place = path.join(workspace, file);
  const text = fs.readFileSync(place, "utf8");
  fs.writeFileSync(place, spoil(text));
  try {
    await work();
  } finally {
    fs.writeFileSync(place, text);
  }
}

/** The design's own texts: what stands in `summary`, and the lines of the first comment that is a description. */
function hostile() {
  const design = fs.readFileSync(path.join(workspace, "design.toml"), "utf8").split("\n");
  const summary = JSON.parse(design.find((line) => line.startsWith("summary = ")).slice(10));
  const begin = design.findIndex((line) => line.startsWith("##"));
  const block = [];
  for (const line of design.slice(begin)) {
    if (!line.startsWith("##")) break;
    block.push(line.slice(3).trim());
  }
  // The first line has marks of direction, which prose spells out.
  return { summary, block: block.slice(1).filter(Boolean) };
}

async function main() {
  fs.mkdirSync(pictures, { recursive: true });
  const { at, stop } = await dev();
  const browser = await chromium.launch({ executablePath: BROWSER, args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
  ] });
  const { summary, block } = hostile();
  const site = await (await fetch(`${at}/site.json`)).json();
  const document = (page) => JSON.parse(fs.readFileSync(path.join(workspace, page.document), "utf8"));
  const titled = (title) => site.services.flatMap((service) => service.pages.filter((page) => page.title === title)
    .map((page) => ({ service, page, where: page.path })));

  await step("the list of services", () => visit(browser, at, "/", async (page) => {
    await page.waitForFunction((count) => document.querySelectorAll("td.good, td .good").length >= count, site.services.length);
    await has(page, "#main", site.services.map(({ name }) => name));
    await shot(page, "services");
  }));
  for (const { service, page: { path: where, document: file }, page } of titled("OpenAPI")) {
    await step(`OpenAPI ${service.name}`, () => visit(browser, at, where, async (tab) => {
      const { info } = document(page);
      await openapi(tab, document(page), [info.title, ...(info.description?.includes("end") ? block : [])]);
      await shot(tab, `openapi-${service.name}`);
    }), file);
  }
  let told = 0;
  for (const { service, where } of titled("GraphiQL")) {
    await step(`GraphiQL ${service.name}`, () => visit(browser, at, where, async (page) => {
      told += await graphiql(page, block);
      await shot(page, `graphiql-${service.name}`);
    }));
  }
  // Through a WebSocket, which passes through the pages' port.
  await step("GraphiQL follows a subscription", () => visit(browser, at, "/services/match/graphiql", async (page) => {
    const answer = await ask(page, "subscription { yield { __typename } }");
    expect(answer.data?.yield?.__typename, JSON.stringify(answer));
  }));
  await step("GraphiQL has shown hostile texts", async () => expect(told > 0, "there were none"));
  for (const title of ["AsyncAPI", "OpenRPC"]) {
    for (const { service, where, page } of titled(title)) {
      await step(`${title} ${service.name}`, () => visit(browser, at, where, async (tab) => {
        const { info } = document(page);
        await reference(tab, document(page), [info.title, ...(info.description?.includes("end") ? block : [])]);
        await shot(tab, `${title.toLowerCase()}-${service.name}`);
      }));
    }
  }
  for (const title of ["GraphQL schema", "proto"]) {
    for (const { service, where, page } of titled(title)) {
      await step(`${title} ${service.name}`, () => visit(browser, at, where, async (tab) => {
        await tab.waitForSelector("pre");
        const shown = await tab.$eval("pre", (pre) => pre.textContent);
        expect(shown === fs.readFileSync(path.join(workspace, page.document), "utf8"), `not the text of ${page.document}`);
        await shot(tab, `${title.split(" ")[0].toLowerCase()}-${service.name}`);
      }));
    }
  }
  const [first] = titled("OpenAPI").filter(({ service }) => service.name === "match");
  await step("a hostile summary is text", () => visit(browser, at, first.where, async (page) => {
    await page.waitForSelector(".opblock");
    await has(page, ".info", [summary]);
  }));
  for (const [verb, where, status] of [["get", "/v1/orders", "200"], ["post", "/v1/orders", "201"]]) {
    await step(`${verb} ${where} is tried`, () => visit(browser, at, first.where, async (page) => {
      await page.waitForSelector(".opblock");
      const { block: tried, status: shown } = await attempt(page, verb, where);
      expect(shown === status, `status ${shown}: ${await tried.locator(".live-responses-table").innerText()}`);
      await tried.locator(".live-responses-table").scrollIntoViewIfNeeded();
      await shot(page, `tried-${verb}`);
    }));
  }
  // What a contract would never say: markup in every description.
  const payload = "<script>alert(1)</script><img src=/site/icon.svg onerror=alert(1) onload=alert(1)><svg onload=alert(1)></svg>"
    + "[a](javascript:alert(1)) <a href=\"javascript:alert(1)\" onclick=alert(1)>b</a><iframe srcdoc=\"<script>alert(1)</script>\"></iframe>";
  const marked = (text) => JSON.stringify(JSON.parse(text, (key, value) =>
    (["description", "summary", "title"].includes(key) && typeof value === "string" ? payload : value)));
  for (const title of ["OpenAPI", "AsyncAPI"]) {
    const { where, page: { document: file } } = titled(title).find(({ service }) => service.name === "match");
    await step(`${title} with markup in every text`, () => spoiled(file, marked, () => visit(browser, at, where, async (page) => {
      await page.waitForSelector(title === "OpenAPI" ? ".opblock" : "section");
      await page.waitForTimeout(1000);
      await shot(page, `markup-${title.toLowerCase()}`);
    })));
  }
  // Without these, all of the above could be blind.
  const objects = (what, where, file, spoil, words) => step(what, () => spoiled(file, spoil, async () => {
    let found = "";
    await visit(browser, at, where, async (page) => {
      await page.waitForTimeout(3000);
    }).catch((error) => { found = error.message; });
    for (const word of words) expect(found.includes(word), `no ${word} in ${JSON.stringify(found)}`);
  }));
  const library = "kit/pages/libraries/swagger-ui/swagger-ui-bundle.js";
  await objects("spoiled: a library that shows a dialog and asks elsewhere", first.where, library,
    (text) => `${text};alert(1);fetch("https://elsewhere.example/").catch(() => {});`, ["dialog: 1", "policy: connect-src"]);
  await objects("spoiled: a library that runs text as code", first.where, library,
    (text) => `${text};try { new Function("1") } catch {}`, ["policy: script-src"]);
  await objects("spoiled: a library that is none", first.where, library, () => "(", ["error: "]);

  await browser.close();
  await step("dev ends when it is told to", async () => {
    const code = await stop();
    expect(code === 0, `it ended with ${code}`);
  });
  console.log(`test result: ${failed ? "FAILED" : "ok"}. ${passed} passed; ${failed} failed; 0 ignored`);
  process.exit(failed ? 1 : 0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
