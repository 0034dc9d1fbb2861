"""The messages of the protocol: their fields as a table, and the classes that are made of it.

The classes are in a pool of their own, so that a client in the same process can have the same messages from elsewhere.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"

# Each field as `name type`, in the order of their numbers from 1; `*` is any number of values, `{}` a map from texts.
_MESSAGES: dict[str, tuple[str, ...]] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("live bool",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("ready bool",),
    "ModelReadyRequest": ("name string", "version string"),
    "ModelReadyResponse": ("ready bool",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": ("name string", "version string", "extensions string*"),
    "ModelMetadataRequest": ("name string", "version string"),
    # `parameters` is MLServer's; the clients of others do not look at it.
    "TensorMetadata": ("name string", "datatype string", "shape int64*", "parameters InferParameter{}"),
    "ModelMetadataResponse": (
        *("name string", "versions string*", "platform string"),
        *("inputs TensorMetadata*", "outputs TensorMetadata*"),
    ),
    "InferParameter": (
        *("bool_param bool", "int64_param int64", "string_param string"),
        *("double_param double", "uint64_param uint64"),
    ),
    "InferTensorContents": (
        *("bool_contents bool*", "int_contents int32*", "int64_contents int64*", "uint_contents uint32*"),
        *("uint64_contents uint64*", "fp32_contents float*", "fp64_contents double*", "bytes_contents bytes*"),
    ),
    # An input or an output of values; the protocol names the two types apart, with the same fields.
    "InferTensor": (
        *("name string", "datatype string", "shape int64*"),
        *("parameters InferParameter{}", "contents InferTensorContents"),
    ),
    "InferRequestedOutputTensor": ("name string", "parameters InferParameter{}"),
    "ModelInferRequest": (
        *("model_name string", "model_version string", "id string", "parameters InferParameter{}"),
        *("inputs InferTensor*", "outputs InferRequestedOutputTensor*", "raw_input_contents bytes*"),
    ),
    "ModelInferResponse": (
        *("model_name string", "model_version string", "id string", "parameters InferParameter{}"),
        *("outputs InferTensor*", "raw_output_contents bytes*"),
    ),
    "RepositoryIndexRequest": ("repository_name string", "ready bool"),
    "ModelIndex": ("name string", "version string", "state string", "reason string"),
    "RepositoryIndexResponse": ("models ModelIndex*",),
}
# Of whose fields at most one is set.
_CHOICES = {"InferParameter": "parameter_choice"}

_Field = descriptor_pb2.FieldDescriptorProto


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="mlmini/inference.proto", package=PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        if name in _CHOICES:
            message.oneof_decl.add(name=_CHOICES[name])
        for number, field in enumerate(fields, start=1):
            _add_field(message, number, *field.split())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}")) for name in _MESSAGES
    }


def _add_field(message: Any, number: int, name: str, kind: str) -> None:
    field = message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL)
    if kind.endswith("{}"):
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        _add_field(entry, 1, "key", "string")
        _add_field(entry, 2, "value", kind.removesuffix("{}"))
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{message.name}.{entry.name}"
    elif (one := kind.removesuffix("*")) in _MESSAGES:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{one}"
    else:
        field.type = _Field.Type.Value(f"TYPE_{one.upper()}")
    if kind.endswith(("*", "{}")):
        field.label = _Field.LABEL_REPEATED
    if message.name in _CHOICES:
        field.oneof_index = 0


# By their names; the types of protobuf know nothing of classes that are made while a program runs.
MESSAGES = _classes()
