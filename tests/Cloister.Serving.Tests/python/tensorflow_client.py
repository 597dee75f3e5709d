"""A foreign client of TF Serving that knows nothing beforehand: it learns the services by reflection.

python3 tensorflow_client.py <address> <root certificate>. One JSON line a result.
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

address, root = sys.argv[1:3]
with open(root, "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
PATIENCE = 120


def fields(data):
    """Field numbers and bytes of a message that has only fields of bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        tag = varint()
        assert tag & 7 == 2, tag
        length = varint()
        yield tag >> 3, data[at:at + length]
        at += length


def describe(channel, service):
    ask = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", lambda data: data, lambda data: data)
    answer = next(ask(iter([bytes([4 << 3 | 2, len(service)]) + service.encode()]), timeout=PATIENCE))
    pool, files = descriptor_pool.DescriptorPool(), {}
    for number, file in fields(dict(fields(answer))[4]):
        if number == 1:
            parsed = descriptor_pb2.FileDescriptorProto.FromString(file)
            files[parsed.name] = parsed

    def add(name):
        if name in files:
            parsed = files.pop(name)
            for needed in parsed.dependency:
                add(needed)
            pool.Add(parsed)

    for name in list(files):
        add(name)
    return pool


def message_class(descriptor):
    make = getattr(message_factory, "GetMessageClass", None)
    return make(descriptor) if make else message_factory.MessageFactory().GetPrototype(descriptor)


with grpc.secure_channel(address, credentials, [("grpc.ssl_target_name_override", "localhost")]) as channel:
    pool = describe(channel, "tensorflow.serving.PredictionService")

    def call(name, service, method, request):
        found = pool.FindServiceByName("tensorflow.serving." + service).FindMethodByName(method)
        message = json_format.ParseDict(request, message_class(found.input_type)())
        run = channel.unary_unary("/tensorflow.serving.%s/%s" % (service, method), lambda sent: sent.SerializeToString(), message_class(found.output_type).FromString)
        try:
            answer = json_format.MessageToDict(run(message, timeout=PATIENCE), preserving_proto_field_name=True, descriptor_pool=pool)
            print(json.dumps({"name": name, "code": 0, "answer": answer}), flush=True)
        except grpc.RpcError as refused:
            print(json.dumps({"name": name, "code": refused.code().value[0], "details": refused.details()}), flush=True)

    spec = {"name": "half"}
    tensor = {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": 3}]}, "float_val": [1, 2, 5]}
    call("predict", "PredictionService", "Predict", {"model_spec": spec, "inputs": {"x": tensor}})
    call("regress", "PredictionService", "Regress", {"model_spec": spec, "input": {"example_list": {"examples": [{"features": {"feature": {"x": {"float_list": {"value": [80]}}}}}]}}})
    call("multi", "PredictionService", "MultiInference", {"tasks": [{"model_spec": spec, "method_name": "tensorflow/serving/regress"}], "input": {"example_list": {"examples": [{"features": {"feature": {"x": {"int64_list": {"value": [3]}}}}}]}}})
    call("metadata", "PredictionService", "GetModelMetadata", {"model_spec": spec, "metadata_field": ["signature_def"]})
    call("status", "ModelService", "GetModelStatus", {"model_spec": spec})
    call("wrong type", "PredictionService", "Predict", {"model_spec": spec, "inputs": {"x": {"dtype": "DT_INT32", "tensor_shape": {"dim": [{"size": 1}]}, "int_val": [1]}}})
    call("no label", "PredictionService", "Predict", {"model_spec": {"name": "half", "version_label": "stable"}})
