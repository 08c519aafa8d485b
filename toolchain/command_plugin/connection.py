"""How to reach a phone, as a command's inputs say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from toolchain.plugin.properties import public


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One SSH login. Credentials are in plain and never shown."""

    host: str
    port: int
    user: str
    password: str | None = field(repr=False)
    private_key: str | None = field(repr=False)
    private_key_password: str | None = field(repr=False)
    agent_socket: str | None
    host_key: str | None
    """A line as in authorized_keys; without one, any key is taken."""
    dial_error_limit: int
    """Failed attempts after the first that are borne; -1 for no limit."""
    per_dial_seconds: float
    """The longest one attempt may take to connect; 0 for no limit."""
    proxy: Connection | None = None

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> Connection:
        """From checked inputs, secrets still marked or not."""
        return cls._of(public(inputs["connection"]))

    @classmethod
    def _of(cls, given: Mapping[str, Any]) -> Connection:
        proxy = given.get("proxy")
        return cls(
            host=given["host"],
            port=int(given.get("port", 22)),
            user=given.get("user", "root"),
            password=given.get("password"),
            private_key=given.get("privateKey"),
            private_key_password=given.get("privateKeyPassword"),
            agent_socket=given.get("agentSocketPath"),
            host_key=given.get("hostKey"),
            dial_error_limit=int(given.get("dialErrorLimit", 10)),
            per_dial_seconds=int(given.get("perDialTimeout", 15)),
            proxy=cls._of(proxy) if proxy else None,
        )

    @property
    def endpoint(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
