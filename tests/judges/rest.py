"""Requests over REST as an OpenAPI document describes them, and answers as they came."""

import http.client
import json
import time
import urllib.parse

from documents import methods

PATIENCE = 10
# The media type of a stream of input.
LINES = "application/x-ndjson"


class Rest:
    """One service by its document."""

    def __init__(self, service):
        self.service = service
        document = json.loads(service.document("openapi.json").read_text())
        self.operations = {said["operationId"]: (path, method, said) for path, method, said in methods(document)}

    def request(self, name, item, given):
        """Method, target, headers and body of a call: each member of the input where the document wants it. An input that
        is a stream is a list of its items."""
        path, method, said = self.operations[name]
        items, given = (given, {}) if isinstance(given, list) else ([given], dict(given))
        query = []
        for parameter in said.get("parameters", []):
            place, member = parameter["in"], parameter["name"]
            if place == "path":
                # What is in no input is the id of the item.
                value = given.pop(member) if member in given else item
                path = path.replace(f"{{{member}}}", urllib.parse.quote(text(value), safe=""))
            elif place == "query" and given.get(member) is not None:
                value = given.pop(member)
                query += [(member, text(one)) for one in (value if isinstance(value, list) else [value])]
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        headers, body = {"User-Agent": "judges/1", "Accept": "*/*"}, None
        if "requestBody" in said:
            headers["Content-Type"] = next(iter(said["requestBody"]["content"]))
            # A stream of input is one JSON text a line.
            lines = headers["Content-Type"] == LINES
            body = b"".join(json.dumps(item).encode() + b"\n" for item in items) if lines else json.dumps(given).encode()
        return method.upper(), target, headers, body

    def call(self, name, item, given):
        return ask(self.service, *self.request(name, item, given))


def text(value):
    """A value in a path or query."""
    return value if isinstance(value, str) else json.dumps(value)


class Answer:
    """An answer as it came, and what was asked."""

    def __init__(self, asked, response, body, began):
        self.method, self.target, self.headers, self.sent = asked
        self.status, self.reason = response.status, response.reason
        self.version = {10: "1.0", 11: "1.1"}[response.version]
        self.received = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.getheaders()]
        self.body, self.began = body, began

    def header(self, wanted):
        return next((value.decode("latin-1") for name, value in self.received if name.lower() == wanted), None)

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def first_line(connection, response):
    """Of a stream that has nothing to say yet that is nothing."""
    try:
        connection.sock.settimeout(0.5)
        return response.readline()
    except TimeoutError:
        return b""


def ask(service, method, target, headers=None, body=None):
    """One request on a connection of its own. Of a stream of events the first is enough."""
    headers = {"User-Agent": "judges/1"} | (headers or {})
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
    began = time.time()
    try:
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        streams = (response.getheader("Content-Type") or "").startswith("text/event-stream")
        read = first_line(connection, response) if streams else response.read()
        return Answer((method, target, headers, body), response, read, began)
    finally:
        connection.close()
