"""A foreign gRPC client that knows nothing beforehand: it learns the service by reflection.

python3 grpc_client.py <address> <root certificate>. One JSON line a result.
"""
import json
import struct
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

address, root = sys.argv[1:3]
with open(root, "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
OPTIONS = [("grpc.ssl_target_name_override", "localhost"), ("grpc.max_receive_message_length", -1)]
PATIENCE = 120


def report(name, **result):
    print(json.dumps({"name": name, **result}), flush=True)


def identity(data):
    return data


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


def text_field(number, text):
    return bytes([number << 3 | 2, len(text)]) + text.encode()


def reflect(channel):
    """Lists the services and reads the description of the one that infers (field numbers of grpc.reflection.v1)."""
    ask = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", identity, identity)
    answers = list(ask(iter([text_field(7, "*"), text_field(4, "inference.GRPCInferenceService")]), timeout=PATIENCE))
    services = [dict(fields(service))[1].decode() for number, service in fields(dict(fields(answers[0]))[6])]
    pool = descriptor_pool.DescriptorPool()
    for number, file in fields(dict(fields(answers[1]))[4]):
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(file))
    return services, pool


def message(pool, name):
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("inference." + name))


def main():
    with grpc.secure_channel(address, credentials, OPTIONS) as channel:
        services, pool = reflect(channel)
        report("reflection", code=0, values=services)
        request_type, response_type = message(pool, "ModelInferRequest"), message(pool, "ModelInferResponse")
        stream_type = message(pool, "ModelStreamInferResponse")
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer", request_type.SerializeToString, response_type.FromString)
        stream = channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer", request_type.SerializeToString, stream_type.FromString)

        def half(values, model="half", **rest):
            return request_type(
                model_name=model, inputs=[{"name": "x", "datatype": "FP32", "shape": [len(values)]}],
                raw_input_contents=[struct.pack(f"<{len(values)}f", *values)], **rest)

        def loop(rounds):
            return request_type(
                model_name="loop",
                inputs=[{"name": "rounds", "datatype": "INT64", "shape": []}, {"name": "x", "datatype": "FP32", "shape": [1]}],
                raw_input_contents=[struct.pack("<q", rounds), struct.pack("<f", 0)])

        def floats(raw):
            return list(struct.unpack(f"<{len(raw) // 4}f", raw))

        def attempt(name, request, **rest):
            try:
                answer = infer(request, **{"timeout": PATIENCE, **rest})
                raw = answer.raw_output_contents[0]
                report(name, code=0, values=floats(raw)[:8], bytes=len(raw))
            except grpc.RpcError as error:
                report(name, code=error.code().value[0], details=error.details())

        attempt("raw", half([1, 2, 5], id="42"))
        attempt("typed", json_format.ParseDict(
            {"modelName": "half", "inputs": [{"name": "x", "datatype": "FP32", "shape": [2], "contents": {"fp32Contents": [1, 2]}}]}, request_type()))
        attempt("large", half([2] * 2_000_000))
        attempt("compressed", half([4] * 100_000), compression=grpc.Compression.Gzip)
        attempt("deflated", half([4] * 100_000), compression=grpc.Compression.Deflate)
        attempt("no such model", half([1], model="other"))
        attempt("deadline", loop(2**63 - 1), timeout=1)
        endless = infer.future(loop(2**63 - 1), timeout=PATIENCE)
        try:
            endless.result(timeout=0.5)
        except grpc.FutureTimeoutError:
            endless.cancel()
        report("cancelled", code=1 if endless.cancelled() else 0)
        attempt("after them", loop(3))

        answers = stream(iter([half([0], id="a"), half([0], model="other"), half([2], id="c")]), timeout=PATIENCE)
        report("stream", code=0, answers=[
            "error" if answer.error_message else f"{answer.infer_response.id}{floats(answer.infer_response.raw_output_contents[0])[0]:g}" for answer in answers])

        check = channel.unary_unary("/grpc.health.v1.Health/Check", identity, identity)
        report("health", code=0, values=[check(text_field(1, "half"), timeout=PATIENCE).hex()])
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch", identity, identity)(text_field(1, "nothing"), timeout=PATIENCE)
        report("watch", code=0, values=[next(watch).hex()])
        watch.cancel()


main()
