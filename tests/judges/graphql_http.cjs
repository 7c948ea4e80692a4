// The audit of GraphQL over HTTP at one address. What a server SHOULD do it has to do here.
const { serverAudits } = require("graphql-http");

async function judge(url) {
  const results = await Promise.all(serverAudits({ url }).map((audit) => audit.fn()));
  const missed = results.filter(({ status }) => status === "error" || status === "warn");
  const findings = missed.map(({ id, name, reason }) => ({ rule: id, where: "", message: `${name}: ${reason}` }));
  process.stdout.write(JSON.stringify({ counts: { audits: results.length }, findings }));
}

judge(process.argv[2]);
