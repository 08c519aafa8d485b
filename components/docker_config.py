"""A phone's ``daemon.json`` as a resource: merged, never overwritten, put back at the end."""

from __future__ import annotations

from threading import Lock
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from .dynamic import Provider, changed_keys, run_script, tell, tell_once
from .images.registry_container import take_away
from .phones import daemon_json
from .remote.engine_api import Engine
from .remote.ssh import Host, PhoneError, Session, UnreachableError, connect

SCRIPT = "daemon_json.sh"
# A change restarts Docker: on all managers at once it would cost the swarm its majority. The
# provider's process serves all phones, each in a thread.
RESTARTS = Lock()


class DockerConfigProvider(Provider):
    """Inputs ``phone``, ``keys`` and ``found``: the file's text before cloudlet came.

    The state of a phone that was off when the lab's registry moved has ``late``.
    """

    updates = ("phone", "keys")

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])
        with connect(host) as session:
            current = _read(session)
            there, found = parse_file(session, current), _found(props)
            if there != found:
                # It was in a lab before and off when that gave it up, perhaps with its registry.
                _forget_registry(session)
                there = daemon_json.unmerge(there, daemon_json.registries(there), found)
            _write(session, current, daemon_json.merge(there, props["keys"]))
        return CreateResult(host.name, dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        try:
            with RESTARTS, connect(Host.from_inputs(_news["phone"])) as session:
                current = _read(session)
                found = _found(_news)
                if _olds.get("late"):
                    _forget_registry(session)
                without = daemon_json.unmerge(parse_file(session, current), _olds["keys"], found)
                _write(session, current, daemon_json.merge(without, _news["keys"]))
        except UnreachableError as error:
            if changed_keys(_olds, _news, self.updates) != ["keys"]:
                raise
            leave_for_later(error, _olds["keys"], _news["keys"])
            return UpdateResult({**_news, "keys": _olds["keys"], "late": True})
        return UpdateResult(dict(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        host = Host.from_inputs(_props["phone"])
        try:
            with connect(host) as session:
                current = _read(session)
                found = _found(_props)
                rest = daemon_json.unmerge(parse_file(session, current), _props["keys"], found)
                if rest and rest == found:
                    _put(session, current, _props["found"])
                else:
                    _write(session, current, rest)
        except UnreachableError as error:
            # The phone's contact, which goes after this, says what stays on it.
            tell_once(str(error))
        except PhoneError as error:
            tell(f"{error}\n{host.name}: Docker's configuration was left as it is")


class DockerConfig(Resource, module="cloudlet", name="DockerConfig"):
    """``keys`` in the phone's ``daemon.json`` for as long as the resource lives."""

    def __init__(
        self,
        name: str,
        *,
        phone: pulumi.Input[dict[str, Any]],
        keys: dict[str, Any],
        found: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            DockerConfigProvider(), name, {"phone": phone, "keys": keys, "found": found}, opts
        )


def leave_for_later(error: UnreachableError, olds: dict[str, Any], news: dict[str, Any]) -> None:
    """Tells that the phone keeps ``olds`` until it is back, where the rest can do without it.

    A registry may move because its phone is dead: that phone must not keep the others from it. The
    state keeps ``olds`` then, so that the next plan has the change again.

    Raises:
        UnreachableError: something else than the registry is to change.
    """
    if not daemon_json.differ_in_registries(olds, news):
        raise error
    tell_once(
        f"{error} Its Docker is not told where images come from now, and can have none from the "
        "lab's registry until it is: run `make refresh up` when the phone is back, or take it "
        "out of cloudlet:phones"
    )


def _forget_registry(session: Session) -> None:
    """Takes the lab's registry away, which was on this phone if it is: it has moved meanwhile, and
    nobody else can know that it is still here."""
    client = Engine(session)
    try:
        take_away(client)
    except PhoneError as error:
        tell(f"{error}; if {session.host.name} had the lab's registry, that is still there")
    finally:
        client.close()


def put_keys(host: Host, keys: dict[str, Any]) -> None:
    """Puts ``keys`` into the phone's file, and restarts a running Docker if that changed it."""
    with RESTARTS, connect(host) as session:
        current = _read(session)
        _write(session, current, daemon_json.merge(parse_file(session, current), keys))


def _found(props: dict[str, Any]) -> dict[str, Any]:
    """What the owner's file held; nothing to put back where it was broken and he mended it."""
    try:
        return daemon_json.parse(props["found"])
    except daemon_json.DaemonJsonError:
        return {}


def _read(session: Session) -> str:
    return run_script(session, SCRIPT, session.host.name, "read")


def parse_file(session: Session, text: str) -> dict[str, Any]:
    """What the phone's ``daemon.json`` holds; raises PhoneError where Docker would not take it."""
    try:
        return daemon_json.parse(text)
    except daemon_json.DaemonJsonError as error:
        raise PhoneError(
            f"{session.host.name}: /etc/docker/daemon.json {error}; mend or remove it, "
            "cloudlet leaves it as it is"
        ) from None


def _write(session: Session, current: str, value: dict[str, Any]) -> None:
    found = parse_file(session, current)
    if found != value:
        how = "reload" if daemon_json.is_reloaded(found, value) else "write"
        _put(session, current, daemon_json.dump(value), how)


def _put(session: Session, current: str, text: str, how: str = "write") -> None:
    if current != text:
        run_script(session, SCRIPT, session.host.name, how, settings={"CONTENT": text})
