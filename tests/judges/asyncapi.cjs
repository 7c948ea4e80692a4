// What the parser of AsyncAPI says of one document. Its hints are findings too.
const fs = require("node:fs");
const { Parser } = require("@asyncapi/parser");

async function judge(path) {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(path, "utf8"));
  const findings = diagnostics.map(({ code, path, message }) => ({ rule: code, where: path.join("/"), message }));
  const counts = document
    ? { operations: document.allOperations().length, messages: document.allMessages().length }
    : {};
  process.stdout.write(JSON.stringify({ counts, findings }));
}

judge(process.argv[2]);
