// What graphql-js says of one schema.
const fs = require("node:fs");
const { buildSchema, validateSchema } = require("graphql");

const fields = (type) => (type ? Object.keys(type.getFields()).length : 0);

require("./report.cjs").run(async (path, report) => {
  let schema;
  try {
    schema = buildSchema(fs.readFileSync(path, "utf8"));
  } catch (error) {
    error.message.split("\n\n").forEach((message) => report.find("schema", "", message));
    return;
  }
  validateSchema(schema).forEach(({ message }) => report.find("schema", "", message));
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  report.count("operations", roots.reduce((sum, root) => sum + fields(root), 0));
  report.count("types", Object.keys(schema.getTypeMap()).length);
});
