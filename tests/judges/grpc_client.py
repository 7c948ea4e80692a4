"""A gRPC client in another language that has nothing but the address: it learns all messages by reflection."""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

import proxy
from grpc_messages import requests
from story import Story

PATIENCE = 10
# Items of a stream are enough.
ENOUGH = 2
# The same messages under another name: what newer clients ask for.
REFLECTIONS = ["grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection"]
# What a call may come to that was made in good faith.
FAIR = {
    grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.RESOURCE_EXHAUSTED,
}


class Reflection:
    name = "grpc"

    def wants(self, service):
        return service.over("grpc")

    def judge(self, service, verdict, _depth):
        with grpc.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            for name in REFLECTIONS:
                try:
                    names, files = reflected(channel, name)
                except (grpc.RpcError, LookupError, TypeError) as error:
                    verdict.find("reflection", name, str(error))
                    return
                verdict.count("reflections")
            own = own_services(names)
            health(channel, ["", *own], verdict)
            methods = {method.name: method for method in own_methods(names, files)}
            verdict.count("services", len(own))
            story = Story(service, "grpc")
            heard = set()
            for operation, item, given in story.steps():
                method = methods[rpc(operation, methods)]
                sent = requests(operation, method, item, given)
                answers = call(channel, method, sent, operation["name"], verdict, operation.get("follows"))
                heard.add(method.name)
                if answers:
                    story.heard(operation, item, {field.name: value for field, value in answers[0].ListFields()})
                refusal(channel, method, operation, verdict)
            verdict.count("methods", len(heard))
            verdict.expect("methods", len(service.over("grpc")))
            unknown(channel, own[0], verdict)
            for method in methods.keys() - heard:
                verdict.find("unknown method", method, "the contract has no such operation")

    def spoiled(self, service):
        # In what reflection answers: a language that nobody knows.
        return proxy.before(service, {b"proto3": b"proto0"})


def reflected(channel, name):
    """The services that a server names, and a pool of all that they are made of."""
    call = channel.stream_stream(
        f"/{name}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )

    def ask(**request):
        answer = next(call(iter([reflection_pb2.ServerReflectionRequest(**request)]), timeout=PATIENCE))
        if answer.HasField("error_response"):
            raise LookupError(f"{request}: {answer.error_response.error_message}")
        return answer

    names = [service.name for service in ask(list_services="").list_services_response.service]
    pool, known = descriptor_pool.DescriptorPool(), set()

    def add(files):
        # Some servers send what a file stands on along with it, others wait to be asked.
        parsed = [descriptor_pb2.FileDescriptorProto.FromString(file) for file in files]
        for file in parsed:
            for needed in file.dependency:
                if needed not in known and needed not in [other.name for other in parsed]:
                    add(ask(file_by_filename=needed).file_descriptor_response.file_descriptor_proto)
        for file in sorted(parsed, key=lambda file: len(file.dependency)):
            if file.name not in known:
                known.add(file.name)
                pool.AddSerializedFile(file.SerializeToString())

    for service in own_services(names):
        add(ask(file_containing_symbol=service).file_descriptor_response.file_descriptor_proto)
    return names, pool


def own_services(names):
    """Those that a contract tells of."""
    return [name for name in names if not name.startswith("grpc.")]


def own_methods(names, files):
    return [method for name in own_services(names) for method in files.FindServiceByName(name).methods]


def health(channel, names, verdict):
    stub = health_pb2_grpc.HealthStub(channel)
    for name in names:
        status = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=PATIENCE).status
        verdict.count("health checks")
        if status != health_pb2.HealthCheckResponse.SERVING:
            verdict.find("health", name, str(status))
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=PATIENCE)
        verdict.find("health", "no.such.Service", "is healthy")
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.NOT_FOUND:
            verdict.find("health", "no.such.Service", str(error.code()))


def call(channel, method, sent, what, verdict, follows=False):
    """What a method answers: one message, the first of a stream, or nothing where it refuses. A stream that follows
    events has nothing to say until some happen."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    of = message_factory.GetMessageClass(method.output_type).FromString
    answer = way(channel, method)(path, request_serializer=type(sent[0]).SerializeToString, response_deserializer=of)
    request = iter(sent) if method.client_streaming else sent[0]
    verdict.count("calls")
    try:
        if not method.server_streaming:
            return [answer(request, timeout=PATIENCE)]
        stream = answer(request, timeout=PATIENCE)
        # Who listens knows so before anything comes.
        stream.initial_metadata()
        verdict.count("streams")
        return [] if follows else [one for one, _ in zip(stream, range(ENOUGH), strict=False)]
    except grpc.RpcError as error:
        judge_status(error, what, verdict)
        return []
    finally:
        if method.server_streaming:
            stream.cancel()


def way(channel, method):
    """How a method is called."""
    if method.client_streaming:
        return channel.stream_stream if method.server_streaming else channel.stream_unary
    return channel.unary_stream if method.server_streaming else channel.unary_unary


def judge_status(error, what, verdict):
    """A refusal is one that is fair, and its details tell the same and more (google/rpc/error_details.proto)."""
    if error.code() not in FAIR:
        verdict.find("status", what, f"{error.code()}: {error.details()}")
        return
    packed = dict(error.trailing_metadata() or {}).get("grpc-status-details-bin")
    if packed is None:
        # The code and the message say all there is, unless fields are wrong.
        if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
            verdict.find("details", what, f"{error.details()}: no field is named")
        return
    status = status_pb2.Status.FromString(packed)
    if status.code != error.code().value[0] or status.message != error.details():
        verdict.find("details", what, f"{status} beside {error.code()}: {error.details()}")
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(bad)
    if not info.reason and not bad.field_violations:
        verdict.find("details", what, f"{status} tells neither why nor where")
    verdict.count("refusals")


def refusal(channel, method, operation, verdict):
    """A request in which all is missing is answered, and each field that is needed is named."""
    request = message_factory.GetMessageClass(method.input_type)()
    call(channel, method, [request], f"{operation['name']}, empty", verdict, operation.get("follows"))


def unknown(channel, service, verdict):
    method = channel.unary_unary(f"/{service}/NoSuchMethod", request_serializer=bytes, response_deserializer=bytes)
    try:
        method(b"", timeout=PATIENCE)
        verdict.find("unknown method", service, "it is answered")
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.UNIMPLEMENTED:
            verdict.find("unknown method", service, f"{error.code()}")


def rpc(operation, methods):
    """The method of an operation: `patch` is `Update` in the shape of AIP-134."""
    words = operation["name"].split("_")
    if operation.get("verb") == "patch":
        words[0] = "update"
    wanted = "".join(words)
    return next(name for name in methods if name.lower() == wanted)
