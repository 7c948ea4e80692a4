// What all pages share. Texts of a design reach a page as text only: nothing here makes HTML of one.

/** An element with its properties and what is in it; what is empty is left out. */
export function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.flat(9).filter((child) => child != null && child !== false && child !== ""));
  return made;
}

export async function json(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

/** Which service and page this is; above it stand links to the service's other pages. */
export async function here() {
  const site = await json("/site.json");
  const service = site.services.find(({ pages }) => pages.some(({ path }) => path === location.pathname));
  const page = service.pages.find(({ path }) => path === location.pathname);
  document.title = `${service.name}: ${page.title}`;
  const link = ({ path, title }) => {
    const made = element("a", { href: path, title: path }, title);
    if (path === location.pathname) made.setAttribute("aria-current", "page");
    return made;
  };
  const all = element("a", { href: "/" }, site.name);
  document.getElementById("nav").append(all, element("span", { className: "service" }, service.name), ...service.pages.map(link));
  return { service, page };
}

/** Shows elements for reading, or what went wrong. */
export async function show(make) {
  const main = document.getElementById("main");
  main.className = "reading";
  try {
    main.replaceChildren(...[await make()].flat(9));
  } catch (error) {
    main.replaceChildren(element("p", { className: "bad text" }, String(error)));
  }
}

/** Prose of a document in parts. All of Markdown in it is words between backticks, which become `code`, and backslashes. */
export function parts(text, code) {
  const plain = (part) => part.replace(/\\([!-/:-@[-`{-~])/g, "$1");
  // Every second part stood between backticks.
  return text.split(/(?<!\\)`([^`\n]+)`/).map((part, at) => (at % 2 ? code(part) : plain(part)));
}

export function prose(text) {
  return text && element("p", { className: "text" }, parts(text, (words) => element("code", {}, words)));
}

export function source(value) {
  return element("pre", {}, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}
