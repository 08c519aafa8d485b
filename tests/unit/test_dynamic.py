"""Dynamic providers: what a person reads where one fails."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import dill
import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.dynamic import CreateResult
from pulumi.runtime.proto.engine_pb2_grpc import EngineServicer, add_EngineServicer_to_server
from pulumi.runtime.proto.provider_pb2 import ConfigureRequest, CreateRequest, DiffRequest
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

from components.dynamic import Provider
from components.remote.ssh import PhoneError

ROOT = Path(__file__).parents[2]


def fail(_self: Any, *_arguments: Any) -> Any:
    raise PhoneError("phone-9 does not answer")


METHODS = ("check", "diff", "create", "read", "update", "delete")
Phone: Any = type("Phone", (Provider,), dict.fromkeys(METHODS, fail))
# Has no methods of its own.
Smaller: Any = type("Smaller", (Phone,), {})


@pytest.mark.parametrize("method", METHODS)
def test_a_providers_error_is_shown_in_its_own_words(method: str) -> None:
    def serve(_request: bytes, context: grpc.ServicerContext) -> bytes:
        """Calls a provider as the SDK does."""
        getattr(Smaller(), method)({})
        return b""

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    handler = grpc.unary_unary_rpc_method_handler(serve)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("x", {"Do": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary("/x/Do")(b"")
    finally:
        server.stop(None)
    assert caught.value.details() == "phone-9 does not answer"


CALLS = 24


class Gathering(Provider):
    """Has an answer for nobody before all have asked."""

    everybody = threading.Barrier(CALLS)

    def create(self, props: dict[str, Any]) -> CreateResult:
        self.everybody.wait(timeout=10)
        return CreateResult("here", {})


def test_phones_are_not_waited_for_four_at_a_time() -> None:
    """As many as the engine asks at once are served at once, by the SDK's own process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi.dynamic"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            stub: Any = ResourceProviderStub(channel)
            stub.Configure(ConfigureRequest(args=Struct()))
            properties = Struct()
            properties["__provider"] = serialized(Gathering())
            # What finds the process with four threads only, as in a run, where plans come first.
            stub.Diff(DiffRequest(olds=properties, news=properties))
            asked = [stub.Create.future(CreateRequest(properties=properties)) for _ in range(CALLS)]
            assert {each.result(timeout=20).id for each in asked} == {"here"}
    finally:
        process.kill()
        process.wait()


class Engine(EngineServicer):
    """Pulumi's engine, as far as it listens to its plugins."""

    def __init__(self) -> None:
        self.logged: list[tuple[str, bool]] = []

    def Log(self, request: Any, context: object) -> Empty:  # noqa: N802  gRPC's name
        del context
        self.logged.append((request.message, request.ephemeral))
        return Empty()


def run_in_a_process(*arguments: str) -> str:
    """What a process with these arguments prints that says something for the moment."""
    program = "from components.dynamic import show; show('page: web: STEP 1/2')"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_what_passes_is_shown_by_the_engine_and_not_repeated_under_diagnostics() -> None:
    engine, server = Engine(), grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert run_in_a_process(f"127.0.0.1:{port}") == ""
    finally:
        server.stop(None)
    assert engine.logged == [("page: web: STEP 1/2", True)]


@pytest.mark.parametrize("arguments", [[], ["tests/unit"], ["127.0.0.1:9"]])
def test_where_no_engine_listens_it_is_printed(arguments: list[str]) -> None:
    assert run_in_a_process(*arguments) == "page: web: STEP 1/2\n"


def serialized(provider: Provider) -> str:
    """``provider`` by the name of its class, as the SDK puts it into a resource's inputs."""
    return base64.b64encode(dill.dumps(provider, byref=True)).decode()


def test_outside_of_pulumi_the_error_is_only_raised() -> None:
    with pytest.raises(PhoneError, match="phone-9 does not answer"):
        Phone().create({})
