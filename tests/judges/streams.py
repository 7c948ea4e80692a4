"""Streams, heard by the clients of others: server-sent events, GraphQL over WebSocket, WebSockets both ways."""

import copy

import graphql_http
import proxy
import tools
from rest import Rest
from story import Story


class Events:
    """`eventsource`, the EventSource of browsers: what happens is heard, also by who was cut off meanwhile."""

    name = "events"

    def wants(self, service):
        return any(is_followed(operation) for operation in service.over("rest"))

    def judge(self, service, verdict, depth):
        rest = Rest(service)
        streams = []
        for operation, item, given, triggers in lookouts(service, "rest", "rest"):
            _, target, _, _ = rest.request(operation["name"], item, given)
            streams.append({"name": operation["name"], "target": target, "triggers": triggers})
        hear("events.cjs", service, streams[: 1 if depth.spoiled else None], depth, verdict)

    def spoiled(self, service):
        return proxy.before(service, {b"content-type: text/event-stream": b"content-type: text/event-strand"})


class WebSockets:
    """`graphql-ws`: the protocol graphql-transport-ws, with what clients do wrong, and what happens is heard."""

    name = "websockets"

    def wants(self, service):
        return any(operation["graphql"]["subscription"] for operation in service.over("graphql"))

    def judge(self, service, verdict, depth):
        streams = []
        for operation, item, given, triggers in lookouts(service, "graphql", "rest"):
            document, variables = graphql_http.request(service, operation, item, given)
            stream = {"document": document, "variables": variables, "triggers": triggers}
            streams.append({"name": operation["name"], **stream})
        hear("websockets.cjs", service, streams[: 1 if depth.spoiled else None], depth, verdict)

    def spoiled(self, service):
        return proxy.before(service, {b"connection_ack": b"connection_nak"})


class Talks:
    """`ws`: streams both ways over REST, to their end and with what clients do wrong."""

    name = "talks"

    def wants(self, service):
        return any(is_talk(operation) for operation in service.over("rest"))

    def judge(self, service, verdict, depth):
        rest, streams = Rest(service), []
        for operation, item, given in Story(service, "rest").steps():
            if is_talk(operation):
                _, target, _, _ = rest.request(operation["name"], item, given)
                streams.append({"name": operation["name"], "target": target, "items": given})
        hear("talks.cjs", service, streams[: 1 if depth.spoiled else None], depth, verdict)
        if not depth.spoiled:
            verdict.expect("streams", sum(map(is_talk, service.over("rest"))))

    def spoiled(self, service):
        # As if the service had to say something else of what is wrong: unmasked frames are as they are written.
        return proxy.before(service, {b"\x03\xef": b"\x03\xe8"})


def is_talk(operation):
    return bool(operation.get("stream") and operation.get("reads"))


def is_followed(operation):
    """It is heard, and nothing is said to it meanwhile."""
    return operation.get("stream") and not operation.get("reads")


def hear(script, service, streams, depth, verdict):
    task = {"host": "127.0.0.1", "port": service.port, "patience": 3000 if depth.spoiled else 10000, "streams": streams}
    for found in tools.node(script, task, verdict):
        verdict.find(found["rule"], found["where"], found["message"])
    verdict.expect("streams", len(streams))
    verdict.expect("heard", sum(bool(stream.get("triggers")) for stream in streams))


def lookouts(service, transport, trigger):
    """The streams of a service, and for each the requests that make something happen of which it tells."""
    # Items that streams may be on, made over what this service has.
    story = Story(service, trigger)
    made = Rest(service) if service.over(trigger) else None
    for operation, item, given in story.steps():
        if operation.get("verb") in ("create", "replace") and made:
            story.heard(operation, item, made.call(operation["name"], item, given).json())
    for operation in service.over(transport):
        if is_followed(operation):
            item, given = story.item(operation, 0), story.input(operation, 0)
            yield operation, item, given, list(triggers(service, operation, item))


def triggers(service, stream, item):
    """Requests over REST to whatever service publishes what a stream tells of; of an item, if it is on one."""
    messages = {followed["message"] for followed in stream.get("follows", [])}
    for other in service.system.services:
        types = {type for type, event in other.events.items() if event["message"] in messages}
        for operation in other.over("rest"):
            # Who makes items makes others than the one that the stream is on.
            on_other = stream.get("takes_id") and not operation.get("takes_id")
            if types & set(operation.get("emits", [])) and not on_other:
                story = Story(other, "rest")
                story.items = {operation.get("resource"): [item]} if item else {}
                given = copy.deepcopy(story.input(operation, 0))
                method, target, headers, body = Rest(other).request(operation["name"], item, given)
                yield {"url": other.url + target, "method": method, "headers": headers, "body": (body or b"").decode()}
