"""Bad input: each kind is answered with the right error within the limits, nothing is stored, nothing grows.

What no client library sends is written to the socket by hand.
"""

import json
import select
import socket
import threading
import time

import proxy
from rest import LINES, Rest, ask
from story import Story

PATIENCE = 10
# Bytes that a service may hold more of after all this.
GROWTH = 64 << 20
NOT_UTF8 = b'"\xff\xfe"'


class Abuse:
    name = "abuse"

    def wants(self, service):
        return service.document("openapi.json")

    def judge(self, service, verdict, _depth):
        rest, story = Rest(service), Story(service, "rest")
        before, kept = service.system.memory(service), stored(service, rest)
        for operation, item, given in story.steps():
            name = operation["name"]
            method, target, headers, body = rest.request(name, item, given)
            if operation.get("verb") == "delete":
                continue
            for what, right, answer in line(service, method, target, headers):
                judged(f"{name}, {what}", right, answer, verdict)
            if body is not None and headers["Content-Type"] == LINES:
                # What is wrong with one line of many is told as what is wrong with a value, wherever it stands.
                good = body.splitlines(keepends=True)[0]
                for what, _, sent in Members(rest, name, json.loads(good)).wrong():
                    for place, text in (("first", sent + b"\n"), ("second", good + sent + b"\n")):
                        if sent.strip():
                            status = ask(service, method, target, headers, text).status
                            judged(f"{name}, {what} in the {place} line", (422,), status, verdict)
                cut = [f"Content-Type: {LINES}", "Content-Length: 1000"]
                judged(f"{name}, cut off", (None, 503), raw(service, method, target, cut, good, cut=True), verdict)
            elif body is not None:
                members = Members(rest, name, json.loads(body))
                for what, right, sent in members.wrong():
                    judged(f"{name}, {what}", right, ask(service, method, target, headers, sent).status, verdict)
                for what, right, answer in framed(service, method, target, headers, body):
                    judged(f"{name}, {what}", right, answer, verdict)
            verdict.count("operations")
        if stored(service, rest) != kept:
            verdict.find("stored", service.name, "bad input has left something behind")
        growth = service.system.memory(service) - before
        if growth > GROWTH:
            verdict.find("memory", service.name, f"holds {growth >> 20} MiB more")

    def spoiled(self, service):
        return proxy.before(service, {b"HTTP/1.1 415": b"HTTP/1.1 200", b"HTTP/1.1 404": b"HTTP/1.1 200"})


def judged(what, right, status, verdict):
    verdict.count("cases")
    if status not in right:
        verdict.find("answer", what, f"{status} and not {' or '.join(map(str, right))}")


def stored(service, rest):
    """How many items each list shows."""
    lists = [operation["name"] for operation in service.over("rest") if operation.get("verb") == "list"]
    return {name: len((rest.call(name, None, {}).json() or {}).get("items", [])) for name in lists}


def line(service, method, target, headers):
    """What can be wrong with the target and the header fields."""
    path = target.split("?")[0]
    if "?" in target:
        yield "not UTF-8 in the query", (400, 422), ask(service, method, f"{target}&a=%ff", headers).status
        yield "an unknown parameter", (422,), ask(service, method, f"{target}&no_such_parameter=1", headers).status
    yield "a long target", (414,), ask(service, method, f"{path}?{'a' * 9000}", headers).status
    yield "an endless field", (None, 400, 431), raw(service, method, target, [f"X-Long: {'a' * 600_000}"])
    yield "too many fields", (400, 431), raw(service, method, target, [f"X-{number}: 1" for number in range(500)])
    yield "a field without a name", (400,), raw(service, method, target, [": nothing"])
    yield "a space before the colon", (400,), raw(service, method, target, ["X-Space : 1"])
    yield "no deadline", (400,), ask(service, method, target, headers | {"Request-Timeout-Ms": "soon"}).status


def framed(service, method, target, headers, body):
    """What can be wrong with how a body is sent."""
    fields = [f"Content-Type: {headers['Content-Type']}"]
    csv = headers | {"Content-Type": "text/csv"}
    yield "another media type", (415,), ask(service, method, target, csv, body).status
    # Who goes on sending may find the connection closed before the answer is read (RFC 9110 §15.5.14).
    long = [*fields, f"Content-Length: {(2 << 20) + len(body)}"]
    yield "too long", (None, 413), raw(service, method, target, long, b" " * (2 << 20) + body)
    yield "said to be too long", (413,), raw(service, method, target, [*fields, f"Content-Length: {1 << 40}"])
    yield "no length", (400, 411, 415, 422), raw(service, method, target, [*fields, "Content-Length: -1"])
    yield "two lengths", (400,), raw(service, method, target, [*fields, "Content-Length: 1", "Content-Length: 2"])
    yield "broken chunks", (400,), raw(service, method, target, [*fields, "Transfer-Encoding: chunked"], b"zz\r\n")
    yield "cut off", (None, 400), raw(service, method, target, [*fields, "Content-Length: 100"], body[:10], cut=True)


def raw(service, method, target, fields, body=b"", cut=False):
    """The status of a request that is written by hand; none if the connection is closed without an answer."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{service.port}", *fields, "", ""]
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as connection:
        try:
            connection.sendall("\r\n".join(lines).encode() + body)
            if cut:
                connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1 << 12)
        except ConnectionError:
            return None
        except TimeoutError:
            return "nothing for long"
        return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None


class Members:
    """The body of an operation, and what is wrong with others."""

    def __init__(self, rest, name, right):
        document = json.loads(rest.service.document("openapi.json").read_text())
        _, _, said = rest.operations[name]
        self.document, self.right = document, right
        schema = self.resolved(next(iter(said["requestBody"]["content"].values()))["schema"])
        # Of a stream of input that of an item.
        self.schema = self.resolved(schema.get("items", schema))

    def resolved(self, schema):
        while "$ref" in schema:
            at = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                at = at[step]
            schema = at
        return schema

    def wrong(self):
        """What it is, the statuses that are right, the body."""
        text = json.dumps(self.right)
        yield "nothing", (400, 422), b" "
        yield "half of it", (400,), text[: len(text) // 2].encode()
        yield "two of it", (400,), (text + text).encode()
        yield "a list", (400, 422), f"[{text}]".encode()
        yield "deep", (400, 422), b"[" * 200_000
        yield "not UTF-8", (400, 422), NOT_UTF8
        yield "an unknown member", (422,), json.dumps(self.right | {"no_such_member": 1}).encode()
        for name, value in self.right.items():
            schema = self.resolved(self.schema.get("properties", {}).get(name, {}))
            once = json.dumps({name: value})
            yield f"`{name}` twice", (422,), f"{once[:-1]}, {once[1:]}".encode()
            # Of any type is what has none.
            if "type" in schema:
                yield f"`{name}` of another type", (422,), json.dumps(self.right | {name: other(value)}).encode()
            if schema.get("type") == "integer":
                for number in ("1e400", "9" * 30, "-1.5"):
                    changed = json.dumps(self.right | {name: 0}).replace(f'"{name}": 0', f'"{name}": {number}')
                    yield f"`{name}` is {number}", (400, 422), changed.encode()
            if name in self.schema.get("required", []) and "type" in schema:
                yield f"`{name}` is null", (422,), json.dumps(self.right | {name: None}).encode()


def other(value):
    """A value of another type."""
    return {"a": []} if isinstance(value, list) or not isinstance(value, dict) else [1]


class Drip(threading.Thread):
    """A body that comes byte by byte for as long as the service has patience, while others judge it."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.came, self.took = service, None, None
        self.start()

    def run(self):
        operations = Rest(self.service).operations.values()
        path, method, said = next((each for each in operations if "requestBody" in each[2]), (None, None, None))
        if path is None:
            return
        fields = [f"Content-Type: {next(iter(said['requestBody']['content']))}", "Content-Length: 10000"]
        head = [f"{method.upper()} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.service.port}", *fields, "", "{"]
        with socket.create_connection(("127.0.0.1", self.service.port)) as connection:
            connection.sendall("\r\n".join(head).encode())
            began = time.monotonic()
            while time.monotonic() < began + 3 * self.service.system.timeout and self.took is None:
                readable, _, _ = select.select([connection], [], [], 0.2)
                try:
                    if readable:
                        self.came, self.took = connection.recv(1 << 12), time.monotonic() - began
                    else:
                        connection.sendall(b" ")
                except ConnectionError:
                    self.took = time.monotonic() - began
        if self.took is None:
            self.came, self.took = b"nothing", time.monotonic() - began

    def verdict(self, verdict):
        """Waits for the end. Whoever is not done in time is told so, or cut off."""
        self.join()
        if self.took is None:
            return
        verdict.count("bodies")
        late = self.took > 2 * self.service.system.timeout
        if late or self.came and self.came.split()[1:2] not in ([b"408"], [b"422"], [b"400"], [b"504"]):
            verdict.find("drip", self.service.name, f"{self.came[:200]} after {self.took:.0f} s")
