// AsyncAPI 3.0 and OpenRPC 1.3, as far as a contract uses them.

import { element, here, json, prose, show, source } from "/site/shared.js";

const { service, page } = await here();
const document_ = await json(page.document);

/** What a `$ref` within the document stands for (RFC 6901), with its last name. */
function resolve(value) {
  let name = null;
  while (value?.$ref) {
    const steps = value.$ref.slice(2).split("/").map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
    name = steps.at(-1);
    value = steps.reduce((inside, step) => inside?.[step], document_);
  }
  return { name, value: value ?? {} };
}

const anchor = (name) => `schema-${name}`;

/** The type of a schema in a few words; what has a name is a link to it. */
function type(schema) {
  if (schema.$ref) {
    const { name } = resolve(schema);
    return element("a", { href: `#${encodeURIComponent(anchor(name))}` }, name);
  }
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return either.flatMap((one, at) => [at ? " | " : "", type(one)]);
  if (schema.items) return [type(schema.items), "[]"];
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  return [schema.type].flat().filter(Boolean).join(" | ") + (schema.format ? ` (${schema.format})` : "") || "any";
}

/** The fields of a record, those of all its parts. */
function fields(schema) {
  const parts = [schema, ...(schema.allOf ?? [])].map((part) => resolve(part).value);
  return parts.flatMap((part) => Object.entries(part.properties ?? {}).map(([name, field]) => ({
    name, schema: field, required: part.required?.includes(name) ?? false, description: resolve(field).value.description,
  })));
}

function table(rows) {
  if (!rows.length) return null;
  const head = ["field", "type", "", ""].map((name) => element("th", {}, name));
  const row = ({ name, schema, required, description }) => element("tr", {}, element("td", {}, element("code", {}, name)),
    element("td", {}, type(schema)), element("td", { className: "quiet" }, required ? "required" : ""),
    element("td", {}, prose(description)));
  return element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows.map(row)));
}

const folded = (title, value) => value && element("details", {}, element("summary", {}, title), source(value));
const summary = (text) => text && element("p", { className: "text" }, text);

function message(reference, said) {
  const { value } = resolve(reference);
  const payload = resolve(value.payload).value;
  const all = fields(payload);
  // Of an event people look for what it tells; the envelope is in the schema.
  const data = all.findLast(({ name }) => name === "data");
  return [
    value.summary !== said.summary && summary(value.summary),
    value.description !== said.description && prose(value.description),
    element("p", { className: "quiet" }, `message ${value.name}, ${value.contentType ?? document_.defaultContentType ?? ""}`),
    table(data ? fields(resolve(data.schema).value) : all),
    (value.examples ?? []).map((example) => folded("example", example.payload)),
    folded("schema", value.payload),
  ];
}

function operation([name, { action, channel, messages, summary: line, description }]) {
  const { value } = resolve(channel);
  const carried = messages ?? Object.values(value.messages ?? {});
  return element("section", {},
    element("h3", {}, element("span", { className: "tag" }, action === "send" ? "sends" : "receives"), name),
    element("p", { className: "quiet" }, "channel ", element("code", {}, value.address ?? "")),
    summary(line), prose(description), carried.map((one) => message(one, { summary: line, description })));
}

function method({ name, summary: line, description, params, result, errors, paramStructure }) {
  const given = params.map(resolve).map(({ value }) => value);
  const wanted = ({ name: of, schema, required, description: text }) => ({ name: of, schema, required, description: text });
  const answer = element("pre", { hidden: true });
  const example = Object.fromEntries(given.filter(({ required }) => required).map(({ name: of }) => [of, null]));
  const asked = element("textarea", { spellcheck: false, ariaLabel: `request to ${name}`,
    value: JSON.stringify({ jsonrpc: "2.0", id: 1, method: name, params: example }, null, 2) });
  const send = element("button", { onclick: async () => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(service.api + document_.servers[0].url, { method: "POST", headers, body: asked.value });
    answer.textContent = await response.text() || `(nothing, with status ${response.status})`;
    answer.hidden = false;
  } }, "Send");
  return element("section", {},
    element("h3", {}, name), summary(line), prose(description),
    paramStructure && element("p", { className: "quiet" }, `parameters ${paramStructure}`), table(given.map(wanted)),
    result && element("p", {}, "answers with ", type(resolve(result).value.schema)),
    (errors ?? []).map((error) => element("p", { className: "quiet" }, `error ${resolve(error).value.code}: ${resolve(error).value.message}`)),
    element("details", {}, element("summary", {}, "try it"), asked, send, answer));
}

function schema([name, value]) {
  const rows = fields(value);
  return element("section", { id: anchor(name) },
    element("h3", {}, name), prose(value.description), table(rows), rows.length ? null : element("p", {}, type(value)),
    folded("schema", value));
}

await show(() => {
  const { info, operations = {}, methods = [], components = {} } = document_;
  return [
    element("h1", {}, info.title), prose(info.description),
    element("p", { className: "quiet" }, element("a", { href: page.document }, page.document.slice(1))),
    Object.entries(operations).map(operation), methods.map(method),
    element("h2", {}, "Types"), Object.entries(components.schemas ?? {}).map(schema),
  ];
});
