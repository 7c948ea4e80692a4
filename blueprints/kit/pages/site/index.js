import { element, json, show } from "/site/shared.js";

const site = await json("/site.json");
document.title = site.name;
document.getElementById("nav").append(element("span", { className: "service" }, site.name));

/** What a service says of itself, or null while it does not answer. */
async function ask(service, path) {
  try {
    const response = await fetch(service.api + path);
    return response.status === 502 ? null : await response.json();
  } catch {
    return null;
  }
}

const row = (service) => {
  const ready = element("span", { className: "quiet" }, "…");
  service.ready = ready;
  const links = service.pages.map(({ path, title }) => element("a", { href: path, title: path }, title));
  return element("tr", {}, element("td", {}, service.name), element("td", {}, element("code", {}, service.address)),
    element("td", {}, links.length ? links : "–"), element("td", {}, ready));
};
const head = (...names) => element("tr", {}, names.map((name) => element("th", {}, name)));
const links = element("tbody", {});

await show(() => [
  element("h1", {}, site.name),
  element("table", {}, element("thead", {}, head("service", "address", "pages", "ready")),
    element("tbody", {}, site.services.map(row))),
  element("h2", {}, "Links"),
  element("table", {}, element("thead", {}, head("link", "breaker", "under way", "streams", "retries left")), links),
]);

/** `open`, and what else the breaker tells. */
function breaker(state) {
  if (!state) return element("span", { className: "quiet" }, "none");
  const { state: name, ...more } = state;
  const told = Object.entries(more).map(([key, value]) => `${key} ${value}`).join(", ");
  return [element("span", { className: name === "closed" ? "good" : "bad" }, name), told && ` (${told})`].filter(Boolean);
}

async function look() {
  const rows = await Promise.all(site.services.map(async (service) => {
    const ready = await ask(service, "/-/ready");
    service.ready.textContent = ready ? (ready.ready ? "yes" : "no") : "does not answer";
    service.ready.className = ready?.ready ? "good" : "bad";
    const states = ready ? await ask(service, "/-/links") : null;
    return (states ?? []).filter(({ link }) => link).map((state) => element("tr", {}, element("td", {}, state.link),
      element("td", {}, breaker(state.breaker)), element("td", {}, `${state.under_way} of ${state.bulkhead}`),
      element("td", {}, `${state.open} of ${state.streams}`),
      element("td", {}, String(state.retries_left))));
  }));
  const all = rows.flat();
  links.replaceChildren(...(all.length ? all : [element("tr", {}, element("td", { className: "quiet", colSpan: 5 }, "none"))]));
  setTimeout(look, 2000);
}
look();
