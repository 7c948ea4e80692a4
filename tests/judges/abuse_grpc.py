"""Bad input over gRPC: bytes that are no message, too many of them, metadata without end, a call that breaks off."""

import grpc

import proxy
from grpc_client import REFLECTIONS, own_methods, reflected, way

PATIENCE = 10
# More than a message may have: `body_limit` is 1 MiB.
TOO_LONG = (1 << 20) + 1
# grpc's statuscodes.md: what a server says of a request that it cannot read. In a stream the others have been read.
UNREADABLE = (grpc.StatusCode.INTERNAL,)
UNREADABLE_ITEM = (grpc.StatusCode.INVALID_ARGUMENT,)
# Not RESOURCE_EXHAUSTED, which statuscodes.md has for it: with us that asks callers to come back later.
TOO_MUCH = (grpc.StatusCode.INVALID_ARGUMENT,)
MESSAGES = {
    "a field that ends too soon": b"\x0a\xff\x01",
    "a field number of none": b"\x00\x01",
    "a wire type that is none": b"\x0f",
    "a varint without end": b"\x08" + b"\xff" * 20,
    "a group": b"\x0b" * 100_000,
}


class AbuseGrpc:
    name = "abuse-grpc"

    def wants(self, service):
        return service.over("grpc")

    def judge(self, service, verdict, _depth):
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            for method in own_methods(*reflected(channel, REFLECTIONS[0])):
                unreadable = UNREADABLE_ITEM if method.client_streaming else UNREADABLE
                for what, message in MESSAGES.items():
                    judged(f"{method.name}, {what}", unreadable, status(channel, method, message), verdict)
                long = status(channel, method, b"\x7a" + b"\x80" * TOO_LONG)
                judged(f"{method.name}, too long", TOO_MUCH, long, verdict)
                for field in method.input_type.fields:
                    if field.type == field.TYPE_STRING and field.number < 16:
                        text = bytes([field.number << 3 | 2, 2]) + b"\xff\xfe"
                        judged(f"{method.name}, not UTF-8", unreadable, status(channel, method, text), verdict)
                verdict.count("methods")
        verdict.expect("methods", len(service.over("grpc")))

    def spoiled(self, service):
        # As if the service took what cannot be read for what is too long: it is said to be.
        message = MESSAGES["a field that ends too soon"]
        return proxy.before(service, {}, {b"\0\0\0\0\3" + message: b"\0\xff\xff\xff\xff" + message})


def status(channel, method, message):
    """The status that a call comes to."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = way(channel, method)(path, request_serializer=bytes, response_deserializer=bytes)
    try:
        answer = call(iter([message]) if method.client_streaming else message, timeout=PATIENCE)
        if method.server_streaming:
            next(answer, None)
        return grpc.StatusCode.OK
    except grpc.RpcError as error:
        return error.code()


def judged(what, right, code, verdict):
    verdict.count("cases")
    if code not in right:
        verdict.find("status", what, f"{code} and not {' or '.join(map(str, right))}")
