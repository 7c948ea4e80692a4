"""The programs of the judges, where `.ci/judges/install` has put them."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = Path(sys.prefix).parent / "node/node_modules"


def python(name):
    """A program that came as a Python package."""
    return Path(sys.prefix) / "bin" / name


def run(*command, folder=None, limit=600):
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL,
    )


def node(script, subject, verdict):
    """Runs a judge in JavaScript: it prints what it exercised and what it found."""
    environment = os.environ | {"NODE_PATH": str(MODULES)}
    process = subprocess.run(
        ["node", HERE / script, json.dumps(subject)],
        capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, env=environment,
    )
    if process.returncode != 0:
        verdict.find("ended", str(subject), process.stderr[-2000:])
        return []
    report = json.loads(process.stdout)
    for what, number in report["counts"].items():
        verdict.count(what, number)
    return report["findings"]
