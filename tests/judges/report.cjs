// What a judge in JavaScript tells: what it exercised, what it found.

class Report {
  counts = {};
  findings = [];

  count(what, number = 1) {
    this.counts[what] = (this.counts[what] ?? 0) + number;
  }

  find(rule, where, message) {
    this.findings.push({ rule, where, message: String(message) });
  }
}

/** Judges what the command line names, and prints the report. */
exports.run = async (judge) => {
  const report = new Report();
  await judge(JSON.parse(process.argv[2]), report);
  process.stdout.write(JSON.stringify(report), () => process.exit(0));
};
