"""Serving a plugin's protocol to the engine that started it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any, Final

import grpc

# A state is sent in one message; the engine itself allows this much.
_LARGEST_MESSAGE: Final = 400 * 1024 * 1024
# A request may wait behind others for as long as a slow phone takes.
_LONGEST_WAIT_SECONDS: Final = 30 * 60


def engine_address(arguments: Sequence[str]) -> str | None:
    """The engine's own address, from the arguments that it starts a plugin with."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--logtostderr", action="store_true")
    parser.add_argument("--logflow", action="store_true")
    parser.add_argument("--tracing")
    parser.add_argument("-v", dest="verbosity")
    parser.add_argument("address", nargs="?")
    known, _ = parser.parse_known_args(arguments)
    return known.address


def start(add: Callable[[grpc.Server], None], *, workers: int) -> grpc.Server:
    """Serve on a free loopback port and print it, which is how the engine learns of it."""
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
        ("grpc.max_send_message_length", _LARGEST_MESSAGE),
        ("grpc.server_max_unrequested_time_in_server", _LONGEST_WAIT_SECONDS),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=workers), options=options)
    add(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    return server
