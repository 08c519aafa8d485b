"""Answers of the provider protocol, made from this plugin's own values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from .diff import Difference
from .errors import UnfinishedError
from .plan import Values
from .values import to_struct


def checked(inputs: Values, failures: Sequence[tuple[str, str]]) -> Any:
    """The answer to a check; failures are pairs of property path and reason."""
    return provider_pb2.CheckResponse(
        inputs=to_struct(inputs),
        failures=[
            provider_pb2.CheckFailure(property=path, reason=f"{path}: {reason}")
            for path, reason in failures
        ],
    )


def difference(result: Difference) -> Any:
    """The answer to a diff of a resource."""
    kinds = provider_pb2.PropertyDiff
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if result.changes else response.DIFF_NONE,
        replaces=result.replaces,
        stables=result.stables,
        deleteBeforeReplace=result.delete_before_replace,
        diffs=result.changed,
        detailedDiff={
            path: kinds(kind=kinds.Kind.Value(change.kind + ("_REPLACE" if change.replace else "")))
            for path, change in result.details.items()
        },
        hasDetailedDiff=True,
    )


def config_difference(olds: Values, news: Values, ignored: Sequence[str]) -> Any:
    """A provider is always updated in place: its resources stay what they are."""
    kinds = provider_pb2.PropertyDiff
    detail: dict[str, Any] = {}
    for key in sorted({*olds, *news} - {*ignored}):
        if olds.get(key) != news.get(key):
            kind = "ADD" if key not in olds else "DELETE" if key not in news else "UPDATE"
            detail[key] = kinds(kind=kinds.Kind.Value(kind), inputDiff=True)
    response = provider_pb2.DiffResponse
    changes = response.DIFF_SOME if detail else response.DIFF_UNKNOWN
    return response(changes=changes, diffs=sorted(detail), detailedDiff=detail)


def abort(context: grpc.ServicerContext, message: str) -> NoReturn:
    """Ends the request; the engine shows the message as it is."""
    context.abort(grpc.StatusCode.UNKNOWN, message)
    raise AssertionError("abort raises")


def abort_unfinished(
    context: grpc.ServicerContext, error: UnfinishedError, outputs: Values, inputs: Values
) -> NoReturn:
    """Ends the request so that the engine stores what the resource now is, and tries again."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.resource_id,
            properties=to_struct(outputs),
            reasons=[str(error)],
            inputs=to_struct(inputs),
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    abort(context, str(error))
