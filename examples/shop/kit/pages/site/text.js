import { element, here, show, source } from "/site/shared.js";

const { page } = await here();
await show(async () => [
  element("h1", {}, page.title),
  element("p", { className: "quiet" }, element("a", { href: page.document }, page.document.slice(1))),
  source(await (await fetch(page.document)).text()),
]);
