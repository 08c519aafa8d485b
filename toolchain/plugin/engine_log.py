"""Messages from a plugin to whoever watches `pulumi`."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any, Final

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from toolchain.environment import UNWATCHED

_SECONDS: Final = 5.0


class EngineLog:
    """The engine's log service. A message that cannot be delivered is dropped."""

    def __init__(self, address: str | None) -> None:
        self._engine: Any = (
            engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None
        )
        self._introduced = threading.Event()

    def introduce(self, name: str) -> None:
        """Say, once in the life of this process, that a stand-in is at work.

        It is shown while things start and is gone afterwards: `make ready` has said it for good,
        and a line that comes with every run teaches people to read none.
        """
        if not self._introduced.is_set() and UNWATCHED not in os.environ:
            self._introduced.set()
            self.status(f"{name}: cloudlet's stand-in, since the official plugin could not be had")

    def info(self, message: str, *, urn: str = "") -> None:
        self._send(engine_pb2.INFO, message, urn, fleeting=False)

    def warning(self, message: str, *, urn: str = "") -> None:
        self._send(engine_pb2.WARNING, message, urn, fleeting=False)

    def error(self, message: str, *, urn: str = "") -> None:
        self._send(engine_pb2.ERROR, message, urn, fleeting=False)

    def status(self, message: str, *, urn: str = "") -> None:
        """A line shown beside the resource while it is worked on, and not kept."""
        self._send(engine_pb2.INFO, message, urn, fleeting=True)

    def _send(self, severity: Any, message: str, urn: str, *, fleeting: bool) -> None:
        if self._engine is None:
            return
        request = engine_pb2.LogRequest(
            severity=severity, message=message, urn=urn, ephemeral=fleeting
        )
        with contextlib.suppress(grpc.RpcError):
            self._engine.Log(request, timeout=_SECONDS)
