"""`python -m toolchain.docker_plugin ENGINE_ADDRESS`: serves until the engine is gone."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from concurrent import futures
from typing import Final

import grpc
from pulumi.runtime.proto.provider_pb2_grpc import add_ResourceProviderServicer_to_server

from .server import Server

_MESSAGE_LIMIT: Final = 400 * 1024 * 1024
_WATCH_PAUSE: Final = 2.0


def main(arguments: list[str]) -> int:
    """Prints the port on which it serves, as the engine expects. Returns the exit status."""
    addresses = [argument for argument in arguments if not argument.startswith("-")]
    if len(addresses) != 1:
        print(
            "pulumi-resource-docker is started by Pulumi, with the engine's address",
            file=sys.stderr,
        )
        return 2
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    server = Server(addresses[0])
    workers = futures.ThreadPoolExecutor(max_workers=32)
    rpc = grpc.server(
        workers,
        options=[
            ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
            ("grpc.max_send_message_length", _MESSAGE_LIMIT),
        ],
    )
    add_ResourceProviderServicer_to_server(server, rpc)
    port = rpc.add_insecure_port("127.0.0.1:0")
    rpc.start()
    print(port, flush=True)
    _watch(addresses[0], done)
    server.close()
    # Threads may still wait for a phone that does not answer; the engine does not wait for them.
    os._exit(0)


def _watch(engine: str, done: threading.Event) -> None:
    """Returns when asked to stop, or when the engine that started this plugin is gone."""
    parent = os.getppid()
    host, _, port = engine.rpartition(":")
    misses = 0
    while not done.wait(_WATCH_PAUSE):
        if os.getppid() != parent:
            return
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            misses = 0
        except OSError:
            misses += 1
            if misses > 1:
                return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
