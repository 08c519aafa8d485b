"""First contact with one phone over its USB cable, where every phone has the same address.

Leaves the phone on the lab's wifi with our key in, and its address and host key in the lab's file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from components import wifi
from components.config.fields import from_root
from components.contact import first_contact
from components.dynamic import run_script
from components.remote.ssh import Host, PhoneError, connect

from . import first_lines, replaced
from .asking import confirm
from .errors import OperationError
from .first_lines import FirstLines
from .labs import own_values
from .pulumi_cli import ROOT, PulumiStack

# postmarketOS gives itself this one on USB.
CABLE = "172.16.42.1"
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def adopt(
    stack: PulumiStack, phone: str, cable: str, tell: Callable[[str], None], *, yes: bool
) -> None:
    """Makes the phone at ``cable`` (``HOST`` or ``HOST:PORT``) the lab's ``phone``.

    The phone may be new in the lab's file. Where another machine was ``phone`` before, it asks, and
    Pulumi forgets that one. Can be run again where it was interrupted.

    Raises:
        OperationError: something is missing in the lab's file, it is another phone that hangs on
            the cable, or the answer was no.
        PhoneError: the phone cannot be made ready.
    """
    if not _NAME.fullmatch(phone):
        raise OperationError(
            f"{phone!r} is no name for a phone; use lower-case letters, digits and inner hyphens"
        )
    lines = first_lines.read(own_values(stack))
    place = _static(lines, phone)
    host = _host(lines, phone, cable)
    password = lines.password.get_secret_value() if lines.password else ""
    tell(f"looking at the phone at {cable}")
    with connect(host, password or None) as session:
        shown = session.host_key
    state = stack.export()
    _accept(lines, phone, shown, replaced.host_keys(state), yes=yes)

    host = host.with_host_key(shown)
    tell(f"{phone}: letting this machine's key in")
    first_contact(host, password)
    if lines.wifi is not None and lines.wifi_password is not None:
        tell(f"{phone}: joining wifi {lines.wifi.ssid!r}")
        settings = wifi.wifi_settings(lines.wifi.ssid, lines.wifi.forget, place)
        wifi.join(host, {**settings, "password": lines.wifi_password.get_secret_value()})
    address = _address(lines, host)
    if replaced.host_keys(state).get(phone, shown) != shown:
        stack.replace_state(replaced.take_over(state, phone, shown))
        tell(f"{phone}: Pulumi has forgotten the phone that had this name")
    _write(stack, lines, phone, address=address, host_key=shown, tell=tell)
    _try_wifi(lines, replace(host, name=phone), address, tell)
    tell(f"{phone} is adopted. The cable may go; `make up STACK={stack.name}` does the rest")


def _host(lines: FirstLines, phone: str, cable: str) -> Host:
    address, _, port = cable.partition(":")
    if not address or not (port or "22").isdecimal():
        raise OperationError(f"USB={cable} is neither an address nor ADDRESS:PORT")
    return Host(
        name=phone,
        host=address,
        port=int(port or "22"),
        user=lines.ssh.user,
        key_file=str(from_root(ROOT, lines.ssh.private_key_file)),
    )


def _static(lines: FirstLines, phone: str) -> wifi.Static | None:
    fixed = lines.wifi.static if lines.wifi else None
    if fixed is None:
        return None
    known = lines.phones.get(phone)
    if known is None or known.address is None:
        raise OperationError(
            f"phones.{phone}.address: is missing; with wifi.static it is what the phone is given"
        )
    return wifi.Static(
        address=known.address,
        prefix=fixed.prefix,
        gateway=fixed.gateway,
        dns=tuple(fixed.dns) or (fixed.gateway,),
    )


def _address(lines: FirstLines, host: Host) -> str:
    """Where the other phones reach it; without a wifi of ours, the file knows better."""
    known = lines.phones.get(host.name)
    if lines.wifi is None and known is not None and known.address is not None:
        return known.address
    with connect(host) as session:
        return run_script(session, "wifi_address.sh", root=False).strip()


def _accept(
    lines: FirstLines, phone: str, shown: str, recorded: Mapping[str, str], *, yes: bool
) -> None:
    """Whether the phone that shows this host key may be ``phone``; raises OperationError if not."""
    pinned = {name: known.host_key for name, known in lines.phones.items() if known.host_key}
    known = {**recorded, **pinned}
    for name, key in known.items():
        if key == shown and name != phone:
            raise OperationError(f"the phone on the cable is {name}, not {phone}")
    if known.get(phone, shown) != shown:
        confirm(
            f"The phone on the cable is not the one that was {phone} before: it shows the host key "
            f"{shown}. It takes that one's place, and its data is not on it.",
            yes=yes,
        )


def _write(
    stack: PulumiStack,
    lines: FirstLines,
    phone: str,
    *,
    address: str,
    host_key: str,
    tell: Callable[[str], None],
) -> None:
    known = lines.phones.get(phone)
    for key, before, now in (
        ("address", known and known.address, address),
        ("hostKey", known and known.host_key, host_key),
    ):
        if before == now:
            continue
        stack.set(f'cloudlet:phones["{phone}"].{key}', now)
        was = f" (it was {before})" if before else ""
        tell(f"{stack.file.name}: phones.{phone}.{key} is {now}{was}")


def _try_wifi(lines: FirstLines, host: Host, address: str, tell: Callable[[str], None]) -> None:
    """Says whether the phone is reached without the cable, where `up` will look for it."""
    known = lines.phones.get(host.name)
    there = replace(host, host=address, port=22)
    if known is not None and known.ssh is not None:
        there = replace(host, host=known.ssh.host, port=known.ssh.port)
    try:
        with connect(there):
            tell(f"{host.name} answers at {there.host}:{there.port}, without the cable")
    except PhoneError as error:
        tell(f"{error} Until then, `up` cannot reach it")
