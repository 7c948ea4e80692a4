import { here, json, parts } from "/site/shared.js";

const { service, page } = await here();
const spec = await json(page.document);
// What is tried here goes through this port, so that the service need not trust pages.
spec.servers = [{ url: service.api }];

/** Texts of the document as text: the library would make HTML of them, and then take out what it deems dangerous. */
const texts = ({ React }) => ({
  wrapComponents: {
    Markdown: () => ({ source }) => React.createElement("p", { className: "prose" },
      ...parts(source ?? "", (words) => React.createElement("code", {}, words))),
  },
});
SwaggerUIBundle({
  spec, dom_id: "#main", validatorUrl: null, tryItOutEnabled: true, defaultModelsExpandDepth: 0, plugins: [texts],
});
