"""What a judge finds, and where judges are known to be wrong."""

import fnmatch
import tomllib
from pathlib import Path


class Exceptions:
    """`exceptions.toml`: findings that stand, each with the reason."""

    def __init__(self):
        text = (Path(__file__).parent / "exceptions.toml").read_text()
        self.entries = [entry | {"judge": judge} for judge, entries in tomllib.loads(text).items() for entry in entries]

    def covers(self, judge, rule, where, message):
        def is_meant(entry):
            places = any(fnmatch.fnmatchcase(where, place) for place in entry.get("where", ["*"]))
            return (entry["judge"], entry["rule"]) == (judge, rule) and places and entry.get("says", "") in message

        return any(is_meant(entry) for entry in self.entries)


class Verdict:
    """What one judge has to say of one subject. Each finding names its rule, its place and what is wrong."""

    def __init__(self, judge, exceptions):
        self.judge, self.exceptions = judge, exceptions
        self.findings = []
        self.excepted = 0
        self.counts = {}

    def find(self, rule, where, message):
        if self.exceptions.covers(self.judge, rule, where, message):
            self.excepted += 1
        else:
            self.findings.append((rule, where, message))

    def find_once(self, rule, where, message):
        """Of many findings of one kind in one place the first that stands is enough."""
        if all((rule, where) != found[:2] for found in self.findings):
            self.find(rule, where, message)

    def count(self, what, number=1):
        """Something was exercised."""
        self.counts[what] = self.counts.get(what, 0) + number

    def expect(self, what, declared):
        """Fewer than the contracts declare is a finding of its own."""
        if self.counts.get(what, 0) < declared:
            self.findings.append(("coverage", what, f"{self.counts.get(what, 0)} of {declared} were exercised"))

    def __str__(self):
        exercised = ", ".join(f"{number} {what}" for what, number in self.counts.items()) or "nothing"
        excepted = f"; {self.excepted} findings are excepted" if self.excepted else ""
        return f"{exercised}{excepted}"
