// The audit of GraphQL over HTTP at one address. What a server SHOULD do it has to do here.
const { serverAudits } = require("graphql-http");

require("./report.cjs").run(async (url, report) => {
  const results = await Promise.all(serverAudits({ url }).map((audit) => audit.fn()));
  const missed = results.filter(({ status }) => status === "error" || status === "warn");
  missed.forEach(({ id, name, reason }) => report.find(id, "", `${name}: ${reason}`));
  report.count("audits", results.length);
});
