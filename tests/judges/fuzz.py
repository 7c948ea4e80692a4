"""schemathesis: many requests made of the document alone, right and wrong; each answer is what the document says."""

import base64
import contextlib
import json
import tempfile
from pathlib import Path

import proxy
import tools
from documents import methods
from rest import Rest
from story import Story

# Requests of a kind for one operation, and for a night.
EXAMPLES, MANY = 12, 300
# Headers that tell nothing.
DULL = {"user-agent", "accept-encoding", "accept", "connection", "content-length", "x-schemathesis-testcaseid"}
CONFIG = Path(__file__).parent / "schemathesis.toml"


class Fuzz:
    name = "fuzz"

    def wants(self, service):
        return service.document("openapi.json")

    def judge(self, service, verdict, depth):
        document = service.document("openapi.json")
        # Streams that follow events have no end, so whoever reads whole answers waits for ever, and it knows no streams
        # of input: others judge those.
        endless = [it["name"] for it in service.over("rest") if it.get("follows") or it.get("reads")]
        make_items(service)
        with tempfile.TemporaryDirectory(prefix="judges-") as folder:
            report = Path(folder) / "report.ndjson"
            command = [tools.python("schemathesis"), "--config-file", CONFIG, "--no-color", "run", document.resolve()]
            command += ["--url", service.url, "--seed", depth.seed, "--continue-on-failure", "--max-response-time", 5]
            command += ["--output-sanitize", "false"]
            command += ["--max-examples", 3 if depth.spoiled else MANY if depth.thorough else EXAMPLES]
            command += ["--report", "ndjson", "--report-ndjson-path", report]
            command += ["--phases", "examples" if depth.spoiled else "examples,coverage,fuzzing,stateful"]
            for name in endless:
                command += ["--exclude-operation-id", name]
            run = tools.run(*command, folder=folder, limit=3600)
            events = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        heard = set()
        for event in events:
            if finished := event.get("ScenarioFinished"):
                scenario(finished["recorder"], heard, verdict)
            if error := event.get("NonFatalError") or event.get("FatalError"):
                verdict.find("schemathesis", service.name, json.dumps(error)[:1000])
        if not any("EngineFinished" in event for event in events):
            verdict.find("schemathesis", service.name, (run.stdout + run.stderr)[-1000:])
        declared = {f"{method.upper()} {path}" for path, method, _ in methods(json.loads(document.read_text()))}
        verdict.count("operations", len(heard & declared))
        if not depth.spoiled:
            verdict.expect("operations", len(service.over("rest")) - len(endless))

    @contextlib.contextmanager
    def spoiled(self, service):
        with proxy.before(service, {b"content-type: application/": b"content-type: applicatiom/"}) as spoiled:
            yield spoiled


def make_items(service):
    """So that there is something to find."""
    rest, story = Rest(service), Story(service, "rest")
    for operation, item, given in story.steps():
        if operation.get("verb") in ("create", "replace"):
            story.heard(operation, item, rest.call(operation["name"], item, given).json())


def scenario(recorder, heard, verdict):
    """The requests of one operation, or of several one after another. Of many findings of a kind the first will do."""
    interactions = recorder.get("interactions", {})
    verdict.count("cases", len(interactions))
    heard.add(recorder["label"])
    for case, checks in recorder.get("checks", {}).items():
        for check in checks:
            if check["status"] == "failure":
                failure = check["failure_info"]["failure"]
                why = " ".join([failure["title"], failure["message"], said(interactions.get(case))])
                verdict.find_once(failure["code"], failure["operation"], " ".join(why.split()))


def said(interaction):
    """A request and its answer in short."""
    if not interaction:
        return "?"
    request, response = interaction["request"], interaction["response"] or {}
    headers = {name: value[0] for name, value in request["headers"].items() if name.lower() not in DULL}
    asked = f"{request['method']} {request['uri']} {headers} {text(request.get('body'))}"
    return f"{asked} → {response.get('status_code')} {text(response.get('content'))}"


def text(content):
    if isinstance(content, dict):
        content = base64.b64decode(content["$base64"]).decode(errors="replace")
    return str(content or "")[:400]
