"""Entry of the docker plugin: ``python -m toolchain.docker_plugin ENGINE_ADDRESS``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Final

from pulumi.runtime.proto import provider_pb2_grpc

from toolchain.docker_plugin.server import Server
from toolchain.plugin import lifetime, serving
from toolchain.plugin.engine_log import EngineLog

_WORKERS: Final = 32


def main(arguments: Sequence[str]) -> None:
    """Serve until the engine ends this process."""
    log = EngineLog(serving.engine_address(arguments))
    provider = Server(version=metadata.version("pulumi-docker"), log=log)
    lifetime.end_with_engine(provider.close)
    server = serving.start(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        workers=_WORKERS,
    )
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1:])
