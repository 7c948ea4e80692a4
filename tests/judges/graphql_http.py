"""The audit of GraphQL over HTTP, and each operation as a client that has only the schema would ask for it."""

import json

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    build_schema,
    parse,
    type_from_ast,
    validate,
)

import proxy
import tools
from rest import ask
from story import Story

# The audits of graphql-http.
AUDITS = 61


class Audit:
    name = "graphql"

    def wants(self, service):
        return service.document(f"{service.name}.graphql")

    def judge(self, service, verdict, depth):
        for found in tools.node("graphql_http.cjs", f"{service.url}/graphql", verdict):
            verdict.find(found["rule"], service.name, found["message"])
        verdict.expect("audits", AUDITS)
        if depth.spoiled:
            return
        schema = schema_of(service)
        story, heard = Story(service, "graphql"), set()
        for operation, item, given in story.steps():
            asked = operation["graphql"]
            heard.add(operation["name"])
            for error in validate(schema, parse(asked["document"])):
                verdict.find("document", operation["name"], error.message)
            if not asked["subscription"]:
                story.heard(operation, item, answer(service, operation, item, given, verdict))
        verdict.count("operations", len(heard))
        verdict.expect("operations", len(service.over("graphql")))

    def spoiled(self, service):
        return proxy.before(service, {b"content-type: application/graphql-": b"content-type: application/graphqt-"})


def request(service, operation, item, given):
    """The document of an operation, and its variables as the schema takes them."""
    asked, schema = operation["graphql"], schema_of(service)
    if whole := asked["whole"]:
        given = {whole: given}
    if item is not None:
        given = given | {"id": item}
    variables = {}
    for defined in parse(asked["document"]).definitions[0].variable_definitions or ():
        variable = defined.variable.name.value
        found = next((value for member, value in given.items() if camel(member) == variable), None)
        if found is not None:
            variables[variable] = taken(type_from_ast(schema, defined.type), found)
    return asked["document"], variables


def schema_of(service):
    return build_schema(service.document(f"{service.name}.graphql").read_text())


def answer(service, operation, item, given, verdict):
    """What the only field of an operation answers."""
    name = operation["name"]
    document, variables = request(service, operation, item, given)
    body = json.dumps({"query": document, "variables": variables}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
    answer = ask(service, "POST", "/graphql", headers, body)
    result = answer.json() or {}
    verdict.count("requests")
    errors = result.get("errors", [])
    if answer.status != 200 or not errors and not result.get("data"):
        verdict.find("answer", name, f"{answer.status} {answer.body[:300]}")
    for error in errors:
        if error.get("extensions", {}).get("code") in (None, "INTERNAL"):
            verdict.find("error", name, json.dumps(error))
    data = result.get("data") or {}
    return next(iter(data.values()), None)


def taken(type, value):
    """A value as the schema takes it."""
    if isinstance(type, GraphQLNonNull):
        return taken(type.of_type, value)
    if isinstance(type, GraphQLList) and isinstance(value, list):
        return [taken(type.of_type, one) for one in value]
    if isinstance(type, GraphQLList) and isinstance(value, dict):
        # A map: a list of its entries.
        return [taken(type.of_type, {"key": key, "value": one}) for key, one in value.items()]
    if str(type) in ("Int", "UInt32", "Boolean") and isinstance(value, str):
        # The key of an entry, which JSON has as text.
        return json.loads(value)
    if isinstance(type, GraphQLEnumType):
        return value.upper().rstrip("_")
    if isinstance(type, GraphQLInputObjectType) and isinstance(value, dict):
        if "type" in value and type.is_one_of:
            chosen = camel(value["type"][:1].lower() + value["type"][1:])
            rest = {member: one for member, one in value.items() if member != "type"}
            return {chosen: taken(type.fields[chosen].type, rest)}
        return {camel(member): taken(type.fields[camel(member)].type, one) for member, one in value.items()}
    return value


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
