// What the parser of AsyncAPI says of one document. Its hints are findings too.
const fs = require("node:fs");
const { Parser } = require("@asyncapi/parser");

require("./report.cjs").run(async (path, report) => {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(path, "utf8"));
  diagnostics.forEach(({ code, path, message }) => report.find(code, path.join("/"), message));
  report.count("operations", document?.allOperations().length ?? 0);
  report.count("messages", document?.allMessages().length ?? 0);
});
