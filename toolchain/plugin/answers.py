"""Answers of the provider protocol, and what is to be read from its requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import grpc
from pulumi.runtime.proto import provider_pb2

from toolchain.plugin.properties import encode


def resource_type(urn: str) -> str:
    """The type of the resource itself, without those of its parents."""
    return urn.split("::")[2].rpartition("$")[2]


def checked(inputs: Mapping[str, Any], failures: Iterable[tuple[str, str]]) -> Any:
    """The answer to a check; failures are pairs of property path and reason."""
    return provider_pb2.CheckResponse(
        inputs=encode(inputs),
        failures=[
            provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in failures
        ],
    )


def difference(
    details: Mapping[str, tuple[str, bool]],
    *,
    changes: bool,
    changed: Sequence[str],
    replaces: Sequence[str],
    stables: Sequence[str] = (),
    delete_before_replace: bool = False,
) -> Any:
    """The answer to a diff of a resource.

    `details` says for each property path ADD, DELETE or UPDATE, and whether that takes a new
    resource; `changed`, `replaces` and `stables` are top-level properties.
    """
    kinds, response = provider_pb2.PropertyDiff, provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if changes else response.DIFF_NONE,
        replaces=replaces,
        stables=stables,
        deleteBeforeReplace=delete_before_replace,
        diffs=changed,
        detailedDiff={
            path: kinds(kind=kinds.Kind.Value(f"{kind}_REPLACE" if replace else kind))
            for path, (kind, replace) in details.items()
        },
        hasDetailedDiff=True,
    )


def abort(context: grpc.ServicerContext, message: str) -> NoReturn:
    """End the request; the engine shows the message as it is."""
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort raises")
