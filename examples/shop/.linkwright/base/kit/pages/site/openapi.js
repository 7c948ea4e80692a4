import { here, json } from "/site/shared.js";

const { service, page } = await here();
const spec = await json(page.document);
// What is tried here goes through this port, so that the service need not trust pages.
spec.servers = [{ url: service.api }];
SwaggerUIBundle({ spec, dom_id: "#main", validatorUrl: null, tryItOutEnabled: true, defaultModelsExpandDepth: 0 });
