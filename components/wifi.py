"""A phone's place on the lab's wifi, taken up so that no mistake cuts the phone off.

A remote command orders the switch (:mod:`.phone`), but the link over which it does so may be the
one that is cut. So the phone goes on by itself, and keeps the new network only if it is reached
there, which the resource of this module sees to; else the profile that it had comes back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from .dynamic import Provider, run_script
from .remote import shell
from .remote.ssh import Host, PhoneError, connect

SCRIPT = "wifi.sh"
# How its answer to an order begins where nothing was to be done.
ALREADY_ON = "already on wifi"
# Longer than wifi_switch.sh takes at most: to join, find a route, be confirmed, and go back.
SWITCH_SECONDS = 190.0
ASK_SECONDS = 0.3


@dataclass(frozen=True, kw_only=True)
class Static:
    """A fixed IPv4 configuration; ``dns`` are the name servers' addresses."""

    address: str
    prefix: int
    gateway: str
    dns: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix} {self.gateway} {','.join(self.dns)}"


class WifiProvider(Provider):
    """Inputs ``phone``, ``ssid``, ``forget``, ``static`` (text, may be empty) and ``password``."""

    updates = ("ssid", "forget", "static", "password")

    def create(self, props: dict[str, Any]) -> CreateResult:
        host = Host.from_inputs(props["phone"])
        join(host, props)
        return CreateResult(host.name, dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        join(Host.from_inputs(_news["phone"]), _news)
        return UpdateResult(dict(_news))


class WifiJoined(Resource, module="cloudlet", name="WifiJoined"):
    """The phone is on ``ssid``, and will be after every boot. ``password`` is secret.

    It waits for the switch that was ordered, and orders it again where that one failed.

    ``forget`` are networks that it must not join again. With ``static`` its address is fixed, else
    DHCP gives it. Destroying the resource leaves the phone where it is, so that it stays reachable.
    """

    def __init__(
        self,
        name: str,
        *,
        phone: pulumi.Input[dict[str, Any]],
        ssid: str,
        password: pulumi.Input[str],
        forget: Sequence[str] = (),
        static: Static | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            WifiProvider(),
            name,
            {
                "phone": phone,
                "password": pulumi.Output.secret(password),
                **wifi_settings(ssid, forget, static),
            },
            pulumi.ResourceOptions.merge(
                opts, pulumi.ResourceOptions(additional_secret_outputs=["password"])
            ),
        )


def wifi_settings(ssid: str, forget: Sequence[str], static: Static | None) -> dict[str, Any]:
    """What :func:`join` takes, but for the ``password``."""
    return {"ssid": ssid, "forget": list(forget), "static": str(static) if static else ""}


def order(settings: Mapping[str, Any]) -> list[str]:
    """The arguments of :data:`SCRIPT` that start the switch; :func:`order_text` is its input."""
    return ["join", settings["ssid"], settings["static"], *settings["forget"]]


def order_text(password: str) -> str:
    """The text for the phone's shell, the wifi's password in it: secret."""
    return shell.script(SCRIPT, _secrets(password))


def join(host: Host, settings: Mapping[str, Any]) -> None:
    """Puts the phone on the wifi of ``settings``, which are the resource's properties.

    Nothing happens where it is on that already.

    Raises:
        PhoneError: that could not be; the phone is on the network that it was on.
    """
    # A second switch follows where the first one was under way since a run that was cut off.
    for _ in range(3):
        if _order(host, settings).startswith(ALREADY_ON):
            return
        _see_through(host, settings["ssid"])
    raise PhoneError(
        f"{host.name}: NetworkManager took up wifi {settings['ssid']!r} with other settings "
        "than it was given; look at `nmcli connection show` on the phone"
    )


def _order(host: Host, settings: Mapping[str, Any]) -> str:
    secrets = _secrets(settings["password"])
    with connect(host) as session:
        return run_script(session, SCRIPT, *order(settings), settings=secrets).strip()


def _secrets(password: str) -> dict[str, str]:
    return {"WIFI_PASSWORD": password, "SWITCH": shell.script("wifi_switch.sh")}


def _see_through(host: Host, ssid: str) -> None:
    """Waits for the phone's own verdict; every connection is a new one, over the new network."""
    deadline = time.monotonic() + SWITCH_SECONDS
    silence: PhoneError | None = None
    while time.monotonic() < deadline:
        time.sleep(ASK_SECONDS)
        try:
            with connect(host) as session:
                verdict = run_script(session, SCRIPT, "result").strip()
                if verdict == "joined":
                    verdict = run_script(session, SCRIPT, "confirm").strip()
        except PhoneError as error:
            # Between two networks it does not answer; should it stay so, it goes back by itself.
            silence = error
            continue
        if verdict == "done":
            return
        if verdict.startswith("failed "):
            raise PhoneError(f"{host.name} {verdict.removeprefix('failed ')}")
    raise PhoneError(
        f"{host.name}: the switch to wifi {ssid!r} did not end within {SWITCH_SECONDS:.0f} s; "
        f"the phone goes back by itself to the network that it was on ({silence or 'it answers'})"
    )
