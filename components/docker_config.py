"""A phone's ``/etc/docker/daemon.json`` as a resource: merged, never overwritten, put back."""

from __future__ import annotations

import shlex
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from . import daemon_json
from .dynamic import Provider, tell
from .ssh import Host, PhoneError, Session, connect

PATH = "/etc/docker/daemon.json"
_ROOT = '"$(command -v sudo || command -v doas)" -n '
_RESTART = (
    "if [ -d /run/systemd/system ]; then systemctl is-active -q docker && systemctl restart docker;"
    " else rc-service docker status && rc-service docker restart; fi >/dev/null 2>&1 || true"
)


class DockerConfigProvider(Provider):
    """Inputs ``phone`` and ``keys``. Outputs ``found``: what the file held before, as text."""

    updates = ("phone", "keys")

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])
        with connect(host) as session:
            found = _read(session)
            _write(session, found, daemon_json.merge(_parse(session, found), _keys(props)))
        return CreateResult(host.name, {**props, "found": found})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        with connect(Host.from_inputs(_news["phone"])) as session:
            current = _read(session)
            before = daemon_json.parse(_olds["found"])
            without = daemon_json.unmerge(_parse(session, current), _keys(_olds), before)
            _write(session, current, daemon_json.merge(without, _keys(_news)))
        return UpdateResult({**_news, "found": _olds["found"]})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        host = Host.from_inputs(_props["phone"])
        try:
            with connect(host) as session:
                current = _read(session)
                found = daemon_json.parse(_props["found"])
                rest = daemon_json.unmerge(_parse(session, current), _keys(_props), found)
                if rest == found:
                    _put(session, current, _props["found"])
                else:
                    _write(session, current, rest)
        except PhoneError as error:
            tell(f"{error}\n{host.name}: {PATH} was left as it is")


class DockerConfig(Resource, module="cloudlet", name="DockerConfig"):
    """``keys`` in the phone's ``daemon.json`` for as long as the resource lives."""

    def __init__(
        self,
        name: str,
        *,
        phone: pulumi.Input[dict[str, Any]],
        keys: dict[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            DockerConfigProvider(), name, {"phone": phone, "keys": keys, "found": None}, opts
        )


def _keys(props: dict[str, Any]) -> dict[str, Any]:
    return dict(props["keys"])


def _read(session: Session) -> str:
    result = session.run(f"{_ROOT}cat {PATH} 2>/dev/null")
    return result.stdout


def _parse(session: Session, text: str) -> dict[str, Any]:
    try:
        return daemon_json.parse(text)
    except daemon_json.DaemonJsonError as error:
        raise PhoneError(
            f"{session.host.name}: {PATH} {error}; mend or remove it, cloudlet leaves it as it is"
        ) from None


def _write(session: Session, current: str, value: dict[str, Any]) -> None:
    if _parse(session, current) != value:
        _put(session, current, daemon_json.dump(value))


def _put(session: Session, current: str, text: str) -> None:
    """Replaces the file in one step and lets a running Docker take it up."""
    if current == text:
        return
    if text:
        change = f"mkdir -p /etc/docker && cat >{PATH}.new && mv {PATH}.new {PATH}"
    else:
        change = f"rm -f {PATH}"
    result = session.run(_ROOT + shlex.join(["sh", "-c", f"{change} && {{ {_RESTART}; }}"]), text)
    if result.status != 0:
        raise PhoneError(f"{session.host.name}: could not write {PATH}: {result.stderr.strip()}")
