# client.py PORT FILE: makes the calls that the file holds as JSON, with grpcio, and prints what came of each as a line of JSON.
import json
import queue
import sys

import grpc

PORT = sys.argv[1]
SERVICE = "heddle.test.Echo"


def payload(size):
    return bytes((i * 31 + size) & 0xFF for i in range(256)) * (size // 256) + bytes(
        (i * 31 + size) & 0xFF for i in range(size % 256)
    )


def metadata_of(scenario):
    pairs = scenario["metadata"].items()
    return [(name, value.encode() if name.endswith("-bin") else value) for name, value in pairs]


# On the wire a call with one answer is one with a stream of them.
def start(channel, scenario, messages):
    options = {
        "metadata": metadata_of(scenario),
        "timeout": scenario["deadlineMs"] / 1000 or None,
        "compression": grpc.Compression.Gzip if scenario["isCompressed"] else None,
    }
    path = f"/{SERVICE}/{scenario['method']}"
    if scenario["method"] in ("ClientStream", "Bidi"):
        return channel.stream_stream(path)(messages, **options)
    return channel.unary_stream(path)(next(messages), **options)


def call(channel, scenario):
    sizes = scenario["sizes"]
    received = []
    turn = queue.SimpleQueue()

    def messages():
        for index, size in enumerate(sizes):
            if scenario["method"] == "Bidi" and index > 0 and turn.get() is None:
                return
            yield payload(size)

    stream = start(channel, scenario, messages())
    try:
        for message in stream:
            received.append(message)
            if len(received) == scenario["cancelAfter"]:
                stream.cancel()
            else:
                turn.put(True)
    except grpc.RpcError:
        pass
    turn.put(None)
    trailers = dict(stream.trailing_metadata() or ())
    try:
        header = dict(stream.initial_metadata() or ()).get("x-echo", "")
    except grpc.RpcError:
        header = ""
    return {
        "name": scenario["name"],
        "code": stream.code().value[0],
        "details": stream.details() or "",
        "count": len(received),
        "bytes": sum(len(message) for message in received),
        "isIntact": all(message == payload(len(message)) for message in received),
        "header": header,
        "trailer": trailers.get("x-echo-bin", b"").decode(),
        "received": trailers.get("x-received", ""),
        "deadlineMs": trailers.get("x-deadline-ms", ""),
    }


limits = [("grpc.max_receive_message_length", -1), ("grpc.max_metadata_size", 64 * 1024)]
with grpc.insecure_channel(f"127.0.0.1:{PORT}", options=limits) as channel:
    with open(sys.argv[2], encoding="utf-8") as file:
        scenarios = json.load(file)
    for scenario in scenarios:
        print(json.dumps(call(channel, scenario)), flush=True)
