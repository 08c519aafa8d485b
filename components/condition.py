"""Whether a phone still is what its steps made of it, as a resource that a refresh reads.

The steps themselves (:mod:`.phone`) are commands, which a refresh cannot read. This one resource
per phone sees what changed behind Pulumi's back, shows it in a plan in words, and mends just that
with the same scripts. Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from . import docker_config, plan_words, wifi
from .dynamic import Provider, changed_keys, mended_by, run_script, tell_once
from .phones import access, aspects, daemon_json
from .phones.survey import Survey, outdated, recent, survey
from .remote.ssh import Host, PhoneError, UnreachableError, connect

# These travel to the provider for a repair, and come back into no state.
SECRETS = ("password", "wifi_password")


class ConditionProvider(Provider):
    """Inputs: those of :data:`aspects.ASPECTS` that are wanted, ``phone``, ``address``,
    ``data_path_port``, ``daemon_keys``, ``wifi_settings`` and the :data:`SECRETS`."""

    # How a refresh reaches the phone, and what it measures the firewall by.
    updates = ("phone", "address", "data_path_port")

    def create(self, props: dict[str, Any]) -> CreateResult:
        # The steps that this comes after have just made it true.
        return CreateResult(Host.from_inputs(props["phone"]).name, _kept(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        now = recent(Host.from_inputs(props["phone"]))
        return ReadResult(id_, {**_kept(props), **(_seen(now, props) if now else {})})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = aspects.differing(_olds, _news)
        asked_for = aspects.wanted(
            ssid=_olds["wifi_settings"].get("ssid"), daemon=_olds["daemon_keys"]
        )
        for aspect in changed:
            is_, should_be = _olds.get(aspect), _news.get(aspect)
            if is_ == asked_for.get(aspect):
                # Nobody has changed the phone: the configuration asks for something else now.
                words = "; ".join(plan_words.setting(aspect, is_, should_be))
                same = daemon_json.reloaded(is_, should_be) if aspect == "daemon_json" else ""
                tell_once(f"daemon.json of the phones: {same}" if same else f"{_id}: {words}")
                continue
            words = aspects.describe(aspect, is_, should_be)
            tell_once(f"{_id}: {words}; {aspects.advise(aspect, is_) or mended_by()}")
        return DiffResult(changes=bool(changed or changed_keys(_olds, _news, self.updates)))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        try:
            _mend(Host.from_inputs(_news["phone"]), _news)
        except UnreachableError as error:
            if (
                aspects.differing(_olds, _news) != ["daemon_json"]
                or changed_keys(_olds, _news, self.updates)
                or not _is_as_told(_olds)
            ):
                raise
            keys = _olds["daemon_keys"]
            docker_config.leave_for_later(error, keys, _news["daemon_keys"])
            return UpdateResult(_kept({**_news, "daemon_json": keys, "daemon_keys": keys}))
        return UpdateResult(_kept(_news))


@dataclass(frozen=True, kw_only=True)
class ConditionArgs:
    """``phone`` is a host's properties; ``daemon`` the keys of ``daemon.json`` that are ours.

    ``password`` (secret, may be empty) is the phone's, for the case that root asks for it again.
    ``wifi`` is what :func:`wifi.join` takes, without its ``wifi_password`` (secret); ``None`` where
    the phone's wifi is its owner's.
    """

    phone: pulumi.Input[dict[str, Any]]
    address: str
    data_path_port: int
    daemon: Mapping[str, Any]
    password: pulumi.Input[str]
    wifi: Mapping[str, Any] | None
    wifi_password: pulumi.Input[str]


class Condition(Resource, module="cloudlet", name="Condition"):
    """A phone as it should be; a refresh reads how it is."""

    def __init__(
        self, name: str, args: ConditionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            ConditionProvider(),
            name,
            {
                **aspects.wanted(ssid=args.wifi["ssid"] if args.wifi else None, daemon=args.daemon),
                "phone": args.phone,
                "address": args.address,
                "data_path_port": args.data_path_port,
                "daemon_keys": dict(args.daemon),
                "wifi_settings": dict(args.wifi) if args.wifi else {},
                "password": pulumi.Output.secret(args.password),
                "wifi_password": pulumi.Output.secret(args.wifi_password),
            },
            opts,
        )


def _is_as_told(props: Mapping[str, Any]) -> bool:
    """Whether ``daemon.json`` was last seen with what the phone was told."""
    return props["daemon_json"] == props["daemon_keys"]


def _kept(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in props.items() if key not in SECRETS}


def _seen(now: Survey, props: Mapping[str, Any]) -> dict[str, Any]:
    """Those aspects that the resource has. What it holds of them is what was seen last, so that
    it is asked for their names alone."""
    found = aspects.seen(
        now,
        daemon=props["daemon_keys"],
        address=props["address"],
        data_path_port=int(props["data_path_port"]),
    )
    return {aspect: value for aspect, value in found.items() if aspect in props}


def _mend(host: Host, props: Mapping[str, Any]) -> None:
    """Makes the phone what it should be, by just those steps of which it differs.

    Raises:
        PhoneError: it cannot be reached, a step failed, or did not help.
    """
    try:
        with connect(host) as session:
            access.open_up(session, props["password"])
        for aspect in _wrong(host, props):
            _REPAIRS[aspect](host, props)
        left = _wrong(host, props)
    finally:
        outdated(host)
    if left:
        raise PhoneError(f"{host.name} could not be mended: " + "; ".join(left.values()))


def _wrong(host: Host, props: Mapping[str, Any]) -> dict[str, str]:
    """What differs now, aspect by aspect, each with a line that says how."""
    now = _seen(survey(host), props)
    return {
        aspect: aspects.describe(aspect, now[aspect], props[aspect])
        for aspect in aspects.differing(now, {key: props[key] for key in now})
    }


def _mend_clock(host: Host, _props: Mapping[str, Any]) -> None:
    with connect(host) as session:
        run_script(session, "clock.sh", str(int(time.time())))


def _mend_wifi(host: Host, props: Mapping[str, Any]) -> None:
    wifi.join(host, {**props["wifi_settings"], "password": props["wifi_password"]})


def _mend_daemon_json(host: Host, props: Mapping[str, Any]) -> None:
    docker_config.put_keys(host, props["daemon_keys"])


def _mend_docker(host: Host, _props: Mapping[str, Any]) -> None:
    with docker_config.RESTARTS, connect(host) as session:
        run_script(session, "engine.sh", host.user)


def _mend_firewall(host: Host, props: Mapping[str, Any]) -> None:
    with connect(host) as session:
        run_script(
            session,
            "network.sh",
            *(host.name, props["address"], str(int(props["data_path_port"]))),
        )


def _nothing(_host: Host, _props: Mapping[str, Any]) -> None:
    """Root was mended before the phone was surveyed."""


_REPAIRS: dict[str, Callable[[Host, Mapping[str, Any]], None]] = {
    "root": _nothing,
    "clock": _mend_clock,
    "wifi": _mend_wifi,
    "daemon_json": _mend_daemon_json,
    "boot": _mend_docker,
    "docker": _mend_docker,
    "firewall": _mend_firewall,
}
