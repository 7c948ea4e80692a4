// What graphql-js says of one schema.
const fs = require("node:fs");
const { buildSchema, validateSchema } = require("graphql");

const fields = (type) => (type ? Object.keys(type.getFields()).length : 0);

function judge(path) {
  let schema;
  try {
    schema = buildSchema(fs.readFileSync(path, "utf8"));
  } catch (error) {
    const findings = error.message.split("\n\n").map((message) => ({ rule: "schema", where: "", message }));
    return { counts: {}, findings };
  }
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const findings = validateSchema(schema).map(({ message }) => ({ rule: "schema", where: "", message }));
  const operations = roots.reduce((sum, root) => sum + fields(root), 0);
  return { counts: { operations, types: Object.keys(schema.getTypeMap()).length }, findings };
}

process.stdout.write(JSON.stringify(judge(process.argv[2])));
