"""Values as JSON has them into messages that only their descriptors tell of."""

import base64
import json
import re

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor


def requests(operation, method, item, given):
    """The requests of a call: of a stream of input as many as it has items, else one."""
    return [asked(operation, method, item, one) for one in (given if isinstance(given, list) else [given])]


def asked(operation, method, item, given):
    """A request: its members are fields of it, but what an item is to be stands in a field of its own."""
    request = message_factory.GetMessageClass(method.input_type)()
    fields = request.DESCRIPTOR.fields_by_name
    if item is not None and "id" in fields:
        put(request, fields["id"], item)
    verb = operation.get("verb")
    if verb == "list":
        return request
    if verb in ("create", "replace", "patch"):
        body = next(field for field in request.DESCRIPTOR.fields if field.name not in ("id", "etag", "update_mask"))
        put(request, body, given)
        if verb == "patch":
            request.update_mask.paths.extend(given)
    else:
        turn(request, given)
    return request


def fill(message, given):
    for name, value in given.items():
        if value is not None:
            put(message, message.DESCRIPTOR.fields_by_name[name], value)


def put(message, field, value):
    """A value as JSON has it into a field."""
    if is_map(field):
        key, of = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        for name, one in value.items():
            name = name == "true" if key.type == key.TYPE_BOOL else name if key.type == key.TYPE_STRING else int(name)
            if of.message_type:
                turn(getattr(message, field.name)[name], one)
            else:
                getattr(message, field.name)[name] = plain(of, one)
    elif field.is_repeated:
        for one in value:
            if field.message_type:
                turn(getattr(message, field.name).add(), one)
            else:
                getattr(message, field.name).append(plain(field, one))
    elif field.message_type:
        turn(getattr(message, field.name), value)
    else:
        setattr(message, field.name, plain(field, value))


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def turn(message, value):
    """A value into a message: a known one, one that holds a list, a map or a maybe, a union, or a record."""
    message.SetInParent()
    fields = message.DESCRIPTOR.fields_by_name
    if message.DESCRIPTOR.full_name.startswith("google.protobuf."):
        json_format.ParseDict(span(value) if "Duration" in message.DESCRIPTOR.name else value, message)
    elif set(fields) in ({"items"}, {"value"}) and not (isinstance(value, dict) and set(value) <= set(fields)):
        put(message, next(iter(fields.values())), value)
    elif isinstance(value, dict) and "type" in value and "kind" in message.DESCRIPTOR.oneofs_by_name:
        wanted = value["type"].lower()
        member = next(field for field in fields.values() if field.name.replace("_", "") == wanted)
        turn(getattr(message, member.name), {name: one for name, one in value.items() if name != "type"})
    elif value is not None:
        fill(message, value)


def plain(field, value):
    if field.type == FieldDescriptor.TYPE_ENUM:
        wanted = "_" + value.upper().rstrip("_")
        return next(one.number for one in field.enum_type.values if one.name.rstrip("_").endswith(wanted))
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64decode(value)
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return float(value)
    if field.cpp_type in (
        FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
    ):
        return int(value)
    return value if isinstance(value, (bool, str)) else json.dumps(value)


def span(value):
    """A duration of ISO 8601 as protobuf's JSON has it: seconds."""
    shape = r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?"
    days, hours, minutes, seconds = re.fullmatch(shape, value).groups(default="0")
    return f"{int(days) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds):.6f}s"
