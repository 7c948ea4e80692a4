"""Judges of documents: they read what a contract says and ask no service."""

import contextlib
import copy
import json
import shutil
import tempfile
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

import tools

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


def methods(document):
    """The operations of an OpenAPI document: path, method, and what it says of them."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


@contextlib.contextmanager
def rewritten(service, name, old, new):
    """The same service with a document in which the first of something is another thing."""
    with tempfile.TemporaryDirectory(prefix="judges-") as folder:
        spoiled = copy.copy(service)
        spoiled.contract = Path(folder) / service.name
        shutil.copytree(service.contract, spoiled.contract)
        document = spoiled.contract / name
        text = document.read_text()
        assert old in text, f"{document} has no {old}"
        document.write_text(text.replace(old, new, 1))
        yield spoiled


class OpenApi:
    """openapi-spec-validator: the document is OpenAPI 3.1, its schemas are JSON Schema 2020-12."""

    name = "openapi"

    def wants(self, service):
        return service.document("openapi.json")

    def judge(self, service, verdict, _depth):
        document = json.loads(service.document("openapi.json").read_text())
        for error in OpenAPIV31SpecValidator(document).iter_errors():
            where = "/".join(str(step) for step in getattr(error, "absolute_path", []))
            verdict.find(type(error).__name__, f"{service.name}:{where}", getattr(error, "message", str(error)))
        verdict.count("operations", sum(1 for _ in methods(document)))
        verdict.expect("operations", len(service.over("rest")))

    def spoiled(self, service):
        return rewritten(service, "openapi.json", '"type": "', '"type": "no ')


class Buf:
    """`buf lint`: the rules of STANDARD, but the two that the API improvement proposals contradict."""

    name = "buf"
    rules = json.dumps({
        "version": "v2",
        # AIP-131 to 135: what gets, makes and changes an item answers with the item, and all answer with the same type.
        "lint": {"use": ["STANDARD"], "except": ["RPC_RESPONSE_STANDARD_NAME", "RPC_REQUEST_RESPONSE_UNIQUE"]},
    })

    def wants(self, service):
        return service.document("proto")

    def judge(self, service, verdict, _depth):
        folder = service.document("proto")
        lint = tools.run(tools.python("buf"), "lint", folder, "--config", self.rules, "--error-format", "json")
        for line in lint.stdout.splitlines():
            found = json.loads(line)
            line = Path(found["path"]).read_text().splitlines()[found.get("start_line", 1) - 1]
            item = " It is an item of a stream." if "(stream " in line.split("returns")[0] else ""
            verdict.find(found["type"], f"{found['path']}:{found.get('start_line')}", found["message"] + item)
        if lint.returncode not in (0, 100):
            verdict.find("buf", service.name, lint.stderr)
            return
        build = tools.run(tools.python("buf"), "build", folder, "-o", "-#format=json", "--config", self.rules)
        image = json.loads(build.stdout)
        own = [file for file in image["file"] if not file["name"].startswith("google/")]
        verdict.count("methods", sum(len(of.get("method", [])) for file in own for of in file.get("service", [])))
        verdict.count("messages", sum(len(file.get("messageType", [])) for file in own))
        verdict.expect("methods", len(service.over("grpc")))

    def spoiled(self, service):
        proto = next(path for path in (service.contract / "proto").rglob("*.proto") if "\nservice " in path.read_text())
        return rewritten(service, proto.relative_to(service.contract), "Service {", "Servant {")


class AsyncApi:
    """@asyncapi/parser: the document is AsyncAPI 3, its messages are what their examples are."""

    name = "asyncapi"

    def wants(self, service):
        return service.document("asyncapi.json")

    def judge(self, service, verdict, _depth):
        document = service.document("asyncapi.json")
        for found in tools.node("asyncapi.cjs", str(document), verdict):
            verdict.find(found["rule"], f"{service.name}:{found['where']}", found["message"])
        declared = json.loads(document.read_text())
        verdict.expect("messages", len(declared["components"]["messages"]))
        verdict.expect("operations", len(declared["operations"]))

    def spoiled(self, service):
        return rewritten(service, "asyncapi.json", '"channels": {', '"canals": {')


class Sdl:
    """graphql-js: the schema is one, and has no field that no operation of the contract has."""

    name = "sdl"

    def document(self, service):
        return service.document(f"{service.name}.graphql")

    def wants(self, service):
        return self.document(service)

    def judge(self, service, verdict, _depth):
        for found in tools.node("sdl.cjs", str(self.document(service)), verdict):
            verdict.find(found["rule"], f"{service.name}:{found['where']}", found["message"])
        verdict.expect("operations", len(service.over("graphql")))

    def spoiled(self, service):
        return rewritten(service, f"{service.name}.graphql", "type Query {", "type Query {\n  spoiled: NoSuchType")
