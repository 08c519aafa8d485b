"""Entry of the language host: ``python -m toolchain.language_host ENGINE_ADDRESS``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pulumi.runtime.proto import language_pb2_grpc

from toolchain.language_host.host import Host
from toolchain.plugin import lifetime, serving
from toolchain.plugin.engine_log import EngineLog


def main(arguments: Sequence[str]) -> None:
    """Serve until the engine ends this process."""
    lifetime.end_with_engine()
    address = serving.engine_address(arguments)
    host = Host(engine=address, log=EngineLog(address))
    server = serving.start(
        lambda server: language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server),
        workers=4,
    )
    try:
        host.run_programs()
    finally:
        server.stop(None)


if __name__ == "__main__":
    main(sys.argv[1:])
