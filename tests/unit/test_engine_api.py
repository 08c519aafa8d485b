"""What Docker answers becomes a sentence for the phone's owner."""

from __future__ import annotations

import io
from email.message import Message
from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.remote.engine_api import Engine, EngineError, NoLeaderError
from components.remote.ssh import Host, Session

HOST = Host(name="phone-1", host="192.0.2.1", port=22, user="u", key_file="k")


def answering(status: int, message: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine of version 1.44 that gives this answer to everything else."""
    client = Engine(cast(Session, SimpleNamespace(host=HOST)))
    asked: list[str] = []

    def answer() -> Any:
        body = io.BytesIO(
            b"OK" if asked[-1] == "/_ping" else f'{{"message": "{message}"}}'.encode()
        )
        headers = Message()
        headers["Api-Version"] = "1.44"
        return SimpleNamespace(
            status=200 if asked[-1] == "/_ping" else status, headers=headers, read=body.read
        )

    http = SimpleNamespace(
        request=lambda _, target, **__: asked.append(target),
        getresponse=answer,
        close=lambda: None,
    )
    monkeypatch.setattr(client, "_http", http)
    return client


@pytest.mark.parametrize(
    "words",
    [
        "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too "
        "few managers are online.",
        "rpc error: code = Unknown desc = raft: failed to process the request: node lost leader "
        "status",
        "rpc error: code = Unknown desc = raft proposal dropped",
        "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        "rpc error: code = Unavailable desc = connection error: transport: Error while dialing",
    ],
)
def test_a_lost_majority_is_told_with_the_two_ways_out(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoLeaderError) as caught:
        answering(500, words, monkeypatch).get("/nodes")
    assert str(caught.value) == (
        "phone-1: the managers have no leader: they are electing one, or their majority is lost. "
        "Start the managers that are off; if they are lost for good, `make recover PHONE=…` lets "
        "one that is left go on alone"
    )
    assert caught.value.reason == words


def test_any_other_refusal_is_told_in_dockers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="phone-1: Docker says: no such service") as caught:
        answering(404, "no such service", monkeypatch).get("/services/x")
    assert caught.value.status == 404
    assert not isinstance(caught.value, NoLeaderError)
