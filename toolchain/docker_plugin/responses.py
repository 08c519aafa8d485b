"""Answers that only this plugin gives: about its provider, and about what it left unfinished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from toolchain.plugin import answers
from toolchain.plugin.properties import encode

from .errors import UnfinishedError
from .plan import Values


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


def abort_unfinished(
    context: grpc.ServicerContext, error: UnfinishedError, outputs: Values, inputs: Values
) -> NoReturn:
    """Ends the request so that the engine stores what the resource now is, and tries again."""
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.resource_id,
            properties=encode(outputs),
            reasons=[str(error)],
            inputs=encode(inputs),
        )
    )
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    answers.abort(context, str(error))
