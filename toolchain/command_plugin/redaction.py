"""Keeping a command's secrets out of everything that is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from toolchain.command_plugin.inputs import SECRET_FIELDS
from toolchain.plugin.properties import Secret, public, secret_texts

HIDDEN: Final = "[secret]"
# A shorter text would be found, and hidden, in words that have nothing to do with it.
_SHORTEST: Final = 4


class Redaction:
    """Hides the secret strings of one command's inputs, whole or by their lines."""

    def __init__(self, inputs: Mapping[str, Any], command: str) -> None:
        """`command` names the input that is run: if it is secret, so is all that it prints."""
        self._texts = sorted(set(_all_texts(inputs)), key=len, reverse=True)
        self.all_hidden = isinstance(inputs.get(command), Secret)

    def __call__(self, text: str) -> str:
        for secret in self._texts:
            text = text.replace(secret, HIDDEN)
        return text


def _all_texts(inputs: Mapping[str, Any]) -> Iterator[str]:
    for text in _marked(inputs):
        for part in (text, *text.splitlines()):
            if len(part.strip()) >= _SHORTEST:
                yield part.strip()


def _marked(inputs: Mapping[str, Any]) -> Iterator[str]:
    # All of a connection is secret to the engine, but its host and user are no secrets.
    connection = public(inputs.get("connection"))
    while isinstance(connection, dict):
        yield from (connection[name] for name in SECRET_FIELDS if name in connection)
        connection = connection.get("proxy")
    for name, value in inputs.items():
        if name != "connection":
            yield from secret_texts(value)
