"""The language host's protocol: what the engine asks before, while and after a program runs."""

from __future__ import annotations

import platform
import queue
import sys
import threading
from concurrent.futures import Future
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from toolchain.language_host import packages
from toolchain.language_host.program import Outcome, Program, run
from toolchain.plugin.engine_log import EngineLog

_LOOK_SECONDS: Final = 0.1


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs the program inside this process, which saves starting a second Python.

    Requests arrive on threads; the program runs on the main thread, as programs expect
    (signal handlers, asyncio). A cancelled program is left behind: the engine ends the process.
    """

    def __init__(self, *, engine: str | None, log: EngineLog) -> None:
        self._engine = engine
        self._log = log
        self._cancelled = threading.Event()
        self._programs: queue.Queue[tuple[Program, Future[Outcome]]] = queue.Queue()

    def run_programs(self) -> None:
        """Run on the main thread whatever the engine sends, for ever."""
        while True:
            program, outcome = self._programs.get()
            outcome.set_result(run(program))

    def Handshake(self, request: Any, context: Any) -> Any:
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: Any, context: Any) -> Any:
        self._log.introduce("pulumi-language-python")
        outcome: Future[Outcome] = Future()
        self._programs.put((Program.of(request, engine=self._engine), outcome))
        while not self._cancelled.is_set():
            try:
                result = outcome.result(timeout=_LOOK_SECONDS)
            except TimeoutError:
                continue
            return language_pb2.RunResponse(error=result.error, bail=result.shown)
        return language_pb2.RunResponse(bail=True)

    def Cancel(self, request: Any, context: Any) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=packages.sdk_version())

    def About(self, request: Any, context: Any) -> Any:
        return language_pb2.AboutResponse(
            executable=sys.executable,
            version=platform.python_version(),
            metadata={"host": "cloudlet's stand-in"},
        )

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse(packages=packages.required())

    def InstallDependencies(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "run `make ready`, which installs all of it")

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=packages.installed(transitive=request.transitiveDependencies)
        )
