"""Entry of the command plugin: ``python -m toolchain.command_plugin ENGINE_ADDRESS``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Final

from pulumi.runtime.proto import provider_pb2_grpc

from toolchain.command_plugin.servicer import CommandProvider
from toolchain.plugin import lifetime, serving
from toolchain.plugin.engine_log import EngineLog

# The engine bounds parallel work itself (--parallel); each worker is a thread, made when needed.
_WORKERS: Final = 256


def main(arguments: Sequence[str]) -> None:
    """Serve until the engine ends this process."""
    lifetime.end_with_engine()
    # paramiko reports every dropped connection with a traceback; ours is in the error.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    log = EngineLog(serving.engine_address(arguments))
    provider = CommandProvider(version=metadata.version("pulumi-command"), log=log)
    server = serving.start(
        lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server),
        workers=_WORKERS,
    )
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1:])
