// What foreign tools say of pairs of documents. On standard input a list of { name, rest, graphql, messages }, each kind a
// list of [old, new]; on standard output { name: { rest, graphql, messages } }, each kind a list of what breaks.
// `NODE_PATH` says where the packages are.
const { compareSpecs } = require('@useoptic/openapi-utilities');
const { RuleRunner } = require('@useoptic/rulesets-base');
const { BreakingChangesRuleset } = require('@useoptic/standard-rulesets');
const { diff, CriticalityLevel } = require('@graphql-inspector/core');
const { buildSchema } = require('graphql');
const asyncapi = require('@asyncapi/diff');

// A document with everything in its place. What holds another of itself ends there.
function resolved(document) {
  const at = (pointer) =>
    pointer.slice(2).split('/').reduce((node, key) => node[key.replace(/~1/g, '/').replace(/~0/g, '~')], document);
  const within = (node, seen) => {
    if (Array.isArray(node)) return node.map((item) => within(item, seen));
    if (node === null || typeof node !== 'object') return node;
    // The kit's, in every failure of every operation: the same on both sides, and most of the work.
    if (node.$ref === '#/components/schemas/problem') return { type: 'object' };
    if (typeof node.$ref === 'string') {
      return seen.includes(node.$ref) ? {} : within(at(node.$ref), [...seen, node.$ref]);
    }
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, within(value, seen)]));
  };
  return within(document, []);
}

async function openapi([old, next]) {
  const runner = new RuleRunner([new BreakingChangesRuleset()]);
  const spec = (document) => ({ jsonLike: resolved(document), sourcemap: null, isEmptySpec: false });
  const { results } = await compareSpecs(spec(old), spec(next), runner, {});
  return results.filter((result) => !result.passed && !result.exempted).map((result) => `${result.name}: ${result.error}`);
}

async function graphql([old, next]) {
  const changes = await diff(buildSchema(old), buildSchema(next));
  return changes.filter((change) => change.criticality.level === 'BREAKING').map((change) => change.message);
}

// Its judgement of schemas is that every change breaks, so those are left to openapi().
async function messages([old, next]) {
  const { changes } = asyncapi.diff(resolved(old), resolved(next)).getOutput();
  const breaking = changes.filter((change) => change.type === 'breaking' && !/\/(payload|headers)\b/.test(change.path));
  return breaking.map((change) => `${change.action} ${change.path}`);
}

async function main() {
  let text = '';
  for await (const part of process.stdin) text += part;
  const verdicts = {};
  for (const { name, ...pairs } of JSON.parse(text)) {
    const judged = async (list, judge) => (await Promise.all(list.map(judge))).flat();
    verdicts[name] = {
      rest: await judged(pairs.rest, openapi),
      graphql: await judged(pairs.graphql, graphql),
      messages: [...(await judged(pairs.messages, messages)), ...(await judged(pairs.payloads, openapi))],
    };
  }
  process.stdout.write(JSON.stringify(verdicts));
}

main();
