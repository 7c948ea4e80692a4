"""Bad input over GraphQL: documents and variables that are wrong, and bodies that are no request."""

import json

from graphql import GraphQLNonNull, parse, type_from_ast

import proxy
from graphql_http import request, schema_of
from rest import ask
from story import Story

TYPE = "application/graphql-response+json"
# Deeper than any schema, and within what a parser takes.
DEEP = 100


class AbuseGraphql:
    name = "abuse-graphql"

    def wants(self, service):
        return service.document(f"{service.name}.graphql")

    def judge(self, service, verdict, _depth):
        schema = schema_of(service)
        for what, right, media, body in bodies():
            answer = ask(service, "POST", "/graphql", {"Content-Type": media, "Accept": TYPE}, body)
            judged(what, right, answer, verdict)
        for operation in service.over("graphql"):
            if operation["graphql"]["subscription"]:
                continue
            story = Story(service, "graphql")
            document, variables = request(service, operation, story.item(operation, 0), story.input(operation, 0))
            for what, changed in variations(schema, document, variables):
                body = json.dumps({"query": document, "variables": changed}).encode()
                answer = ask(service, "POST", "/graphql", {"Content-Type": "application/json", "Accept": TYPE}, body)
                judged(f"{operation['name']}, {what}", (400,), answer, verdict)
            verdict.count("operations")
        subscriptions = sum(operation["graphql"]["subscription"] for operation in service.over("graphql"))
        verdict.expect("operations", len(service.over("graphql")) - subscriptions)

    def spoiled(self, service):
        return proxy.before(service, {b"HTTP/1.1 400": b"HTTP/1.1 200", b"HTTP/1.1 415": b"HTTP/1.1 200"})


def judged(what, right, answer, verdict):
    verdict.count("cases")
    if answer.status not in right:
        verdict.find("answer", what, f"{answer.status} and not {' or '.join(map(str, right))}: {answer.body[:200]}")
    # One that has been read as a request has errors with codes.
    errors = (answer.json() or {}).get("errors", [])
    if any("code" not in error.get("extensions", {}) for error in errors):
        verdict.find("code", what, str(answer.body[:300]))


def bodies():
    """What it is, the statuses that are right, the media type, the body."""
    js = "application/json"

    def query(text, **more):
        return json.dumps({"query": text, **more}).encode()

    yield "nothing", (400,), js, b""
    yield "half of it", (400,), js, b'{"query": "{ __typ'
    yield "a number", (400,), js, b"7"
    yield "no query", (400,), js, b"{}"
    yield "a query that is no text", (400,), js, b'{"query": {}}'
    yield "variables that are a list", (400,), js, query("{ __typename }", variables=[1])
    yield "another media type", (415,), "text/csv", query("{ __typename }")
    yield "not UTF-8", (400,), js, b'{"query": "{ __typename \xff }"}'
    yield "deep JSON", (400,), js, b"[" * 200_000
    yield "too long", (413,), js, b" " * (2 << 20) + query("{ __typename }")
    yield "a document that ends too soon", (400,), js, query("{ __typename")
    yield "a field of nobody", (400,), js, query("{ noSuchField }")
    yield "a deep document", (400,), js, query("{ __schema " + "{ types { fields { type " * DEEP + "}}}" * DEEP + "}")
    yield "braces without end", (400,), js, query("{" * 50_000)
    yield "a fragment in itself", (400,), js, query("{ ...a } fragment a on Query { ...a }")
    names = " ".join(f"a{number}: __typename" for number in range(2000))
    yield "many names for one field", (400,), js, query(f"{{ {names} }}")
    yield "an operation that is not there", (400,), js, query("query a { __typename }", operationName="b")


def variations(schema, document, variables):
    """The variables with each one wrong in some way."""
    for defined in parse(document).definitions[0].variable_definitions or ():
        name, type = defined.variable.name.value, type_from_ast(schema, defined.type)
        scalar = type.of_type if isinstance(type, GraphQLNonNull) else type
        if isinstance(type, GraphQLNonNull):
            yield f"no {name}", {key: value for key, value in variables.items() if key != name}
            yield f"{name} is null", variables | {name: None}
        if str(scalar) in ("Int", "UInt32", "Int64", "UInt64", "Boolean"):
            yield f"{name} is a list", variables | {name: [[]]}
            yield f"{name} is too great", variables | {name: 10**30}
