"""Dynamic providers: what a person reads where one fails."""

from __future__ import annotations

from concurrent import futures
from typing import Any

import grpc
import pytest

from components.dynamic import Provider
from components.remote.ssh import PhoneError


def fail(_self: Any, *_arguments: Any) -> Any:
    raise PhoneError("phone-9 does not answer")


METHODS = ("diff", "create", "read", "update", "delete")
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


def test_outside_of_pulumi_the_error_is_only_raised() -> None:
    with pytest.raises(PhoneError, match="phone-9 does not answer"):
        Phone().create({})
