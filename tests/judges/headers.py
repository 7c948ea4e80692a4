"""httplint: no field of an answer is missing, wrong, at odds with another (RFC 9110, 9111, 9112, each field's own)."""

from httplint import HttpRequestLinter, HttpResponseLinter, levels

import proxy
from rest import LINES, Rest, ask
from story import Story

# What every service answers besides its operations.
ADMIN = ["/-/live", "/-/ready", "/-/links", "/-/openapi.json", "/-/unknown", "/unknown"]


class Headers:
    name = "headers"

    def wants(self, service):
        return service.document("openapi.json")

    def judge(self, service, verdict, _depth):
        rest, story = Rest(service), Story(service, "rest")
        heard = set()
        for operation, item, given in story.steps():
            name = operation["name"]
            answer = rest.call(name, item, given)
            story.heard(operation, item, answer.json())
            lint(answer, name, verdict)
            heard.add(name)
            for what, other in variations(service, answer):
                lint(other, f"{name}, {what}", verdict)
        for target in ADMIN:
            for method in ("GET", "HEAD", "POST"):
                lint(ask(service, method, target), f"{method} {target}", verdict)
        verdict.count("operations", len(heard))
        verdict.expect("operations", len(service.over("rest")))

    def spoiled(self, service):
        return proxy.before(service, {b"\r\ncontent-type: application/json": b"\r\ncontent-type: application json"})


def variations(service, answer):
    """The same target asked otherwise."""
    method, target, headers, body = answer.method, answer.target, answer.headers, answer.sent
    yield "method", ask(service, "BREW", target)
    yield "options", ask(service, "OPTIONS", target)
    yield "not acceptable", ask(service, method, target, headers | {"Accept": "text/csv"}, body)
    if method == "GET":
        yield "head", ask(service, "HEAD", target, headers)
        if tag := answer.header("etag"):
            yield "unchanged", ask(service, "GET", target, headers | {"If-None-Match": tag})
    if method in ("PUT", "PATCH", "DELETE"):
        yield "stale", ask(service, method, target, headers | {"If-Match": '"no such"'}, body)
    if body is not None:
        yield "no JSON", ask(service, method, target, headers, b"{")
        yield "another type", ask(service, method, target, headers | {"Content-Type": "text/csv"}, body)
        # A stream of input may be of any length.
        if headers["Content-Type"] != LINES:
            yield "too large", ask(service, method, target, headers | {"Content-Length": str(1 << 40)}, b"")


def lint(answer, what, verdict):
    request = HttpRequestLinter()
    request.process_request_topline(answer.method.encode(), answer.target.encode(), b"1.1")
    request.process_headers([(name.encode(), value.encode()) for name, value in answer.headers.items()])
    request.finish_content(True)
    response = HttpResponseLinter(start_time=answer.began)
    response.request = request
    response.is_head_response = answer.method == "HEAD"
    response.process_response_topline(answer.version.encode(), str(answer.status).encode(), answer.reason.encode())
    response.process_headers(answer.received)
    response.feed_content(answer.body)
    response.finish_content((answer.header("content-type") or "") != "text/event-stream")
    verdict.count("answers")
    for note in response.notes:
        if note.level in (levels.WARN, levels.BAD):
            verdict.find(type(note).__name__, f"{what} ({answer.status})", note.summary)
