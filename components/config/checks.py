"""What no value shows alone: mistakes between the keys of a configuration, and missing files.

The checks read what was written and skip whatever is known to be wrong in itself, so that one
mistake neither hides another nor is reported twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TypeAlias, cast

from pydantic import SecretStr

from . import fields
from .model import SECRET_KEYS, Swarm, WrittenStack
from .problems import Problem

PORTAINER_PASSWORD = "PORTAINER_ADMIN_PASSWORD"

_Place: TypeAlias = tuple[str | int, ...]


class Written:
    """What was written, without what ``problems`` says is wrong in itself."""

    def __init__(self, raw: Mapping[str, object], problems: Iterable[Problem]) -> None:
        self._raw = raw
        self._spoilt = {problem.path for problem in problems if problem.spoils}

    def given(self, key: str) -> bool:
        """Whether there is anything but an empty map, sound or not."""
        return bool(self._raw.get(key))

    def sound(self, *path: str | int) -> bool:
        """Whether nothing is wrong with the value there, or with a map around it."""
        return not any(path[:length] in self._spoilt for length in range(1, len(path) + 1))

    def at(self, *path: str) -> object:
        """The value there; ``None`` if there is none or it is not sound."""
        value: object = self._raw
        for part in path:
            value = _map(value).get(part)
        return value if self.sound(*path) else None

    def text(self, *path: str) -> str | None:
        value = self.at(*path)
        return value if isinstance(value, str) else None

    def names(self, *path: str) -> list[str]:
        return list(_map(self.at(*path)))


def _map(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def across(written: Written, *, root: Path, encrypted: Collection[str] | None) -> Iterator[Problem]:
    """All mistakes between keys. ``encrypted`` has the keys that Pulumi keeps secret, if known."""
    yield from _members(written)
    yield from _doubled_addresses(written)
    yield from _doubled_ssh(written)
    yield from _pool(written)
    yield from _wifi(written)
    yield from _static(written)
    yield from _registry(written)
    yield from _secrets(written, encrypted)
    yield from _stack_files(written, root)


def _members(written: Written) -> Iterator[Problem]:
    if written.at("phones") is None:
        return
    names = written.names("phones")
    if not names:
        yield Problem(path=("phones",), text="is empty; a lab has at least one phone")
    elif all(written.sound("phones", name, "role") for name in names) and not any(
        written.at("phones", name, "role") == "manager" for name in names
    ):
        yield Problem(
            path=("phones",), text="no phone is a manager; give one of them role: manager"
        )


def _doubled_addresses(written: Written) -> Iterator[Problem]:
    for name, address, first in _doubles(
        written, lambda phone: written.text("phones", phone, "address")
    ):
        yield Problem(
            path=("phones", name, "address"),
            text=f"{address} is {first}'s already; every phone has its own",
        )


def _doubled_ssh(written: Written) -> Iterator[Problem]:
    def place(phone: str) -> str | None:
        host = written.text("phones", phone, "ssh", "host")
        port = written.at("phones", phone, "ssh", "port")
        if not written.sound("phones", phone, "ssh", "port"):
            return None
        if written.at("phones", phone, "ssh") is None:
            # Two phones that share an address are told that once.
            host = _first_with(written, phone)
        return None if host is None else f"{host.lower()}:{port or 22}"

    for name, where, first in _doubles(written, place):
        yield Problem(
            path=("phones", name, "ssh"),
            text=f"{where} is where {first} is reached already; every phone has its own",
        )


def _first_with(written: Written, phone: str) -> str | None:
    """The phone's address, if no phone before it has the same."""
    address = written.text("phones", phone, "address")
    for other in written.names("phones"):
        if other == phone:
            return address
        if written.text("phones", other, "address") == address:
            break
    return None


def _doubles(written: Written, what: Callable[[str], str | None]) -> Iterator[tuple[str, str, str]]:
    """Each phone that has the same as one before it: its name, what it has, the first's name."""
    owners: dict[str, str] = {}
    for name in written.names("phones"):
        value = what(name)
        if value is not None and owners.setdefault(value, name) != name:
            yield name, value, owners[value]


def _pool(written: Written) -> Iterator[Problem]:
    if not written.sound("swarm", "addressPool"):
        return
    default = Swarm()
    given = written.text("swarm", "addressPool")
    pool = IPv4Network(given or default.address_pool)
    shown = f"{pool}" if given else f"{pool} (the default)"
    inside = [
        name
        for name in written.names("phones")
        if (address := written.text("phones", name, "address")) and IPv4Address(address) in pool
    ]
    if inside:
        owners = f"address of {inside[0]}" if len(inside) == 1 else f"addresses of {_list(inside)}"
        yield Problem(
            path=("swarm", "addressPool"),
            text=f"{shown} holds the {owners}; choose a network that nothing else uses",
        )
    elif (network := _phones_network(written)) and pool.overlaps(network):
        yield Problem(
            path=("swarm", "addressPool"),
            text=f"{shown} is part of the phones' own network, {network}; "
            "choose a network that nothing else uses",
        )
    mask = written.at("swarm", "addressPoolMask")
    mask = mask if isinstance(mask, int) else default.address_pool_mask
    if written.sound("swarm", "addressPoolMask") and mask < pool.prefixlen:
        yield Problem(
            path=("swarm", "addressPoolMask"),
            text=f"a network with prefix length {mask} does not fit into {shown}; "
            f"at least {pool.prefixlen}",
        )


def _wifi(written: Written) -> Iterator[Problem]:
    if written.at("wifi") is None:
        return
    ssid = written.text("wifi", "ssid")
    if written.sound("wifiPassword") and written.at("wifiPassword") is None:
        yield Problem(
            path=("wifiPassword",),
            missing=True,
            text="is missing, and wifi needs it: pulumi config set --secret cloudlet:wifiPassword",
        )
    forget = written.at("wifi", "forget")
    if ssid is not None and isinstance(forget, list) and ssid in forget:
        yield Problem(
            path=("wifi", "forget"), text=f"{ssid!r} is the wifi to join; take it off the list"
        )


def _static(written: Written) -> Iterator[Problem]:
    gateway, network = written.text("wifi", "static", "gateway"), _phones_network(written)
    if gateway is None or network is None:
        return
    for name in written.names("phones"):
        address = written.text("phones", name, "address")
        if address == gateway:
            yield Problem(
                path=("wifi", "static", "gateway"),
                text=f"{gateway} is the address of {name}; give the access point's",
            )
        elif address is not None and IPv4Address(address) not in network:
            yield Problem(
                path=("phones", name, "address"),
                text=f"{address} is not on the network of wifi.static, {network}; "
                "the phone could not reach its gateway",
            )
        elif address is not None and (whose := _reserved(address, network)):
            yield Problem(
                path=("phones", name, "address"),
                text=f"{address} is {whose} of {network}, which no phone can have; "
                "give it another of that network",
            )
    if whose := _reserved(gateway, network):
        yield Problem(
            path=("wifi", "static", "gateway"),
            text=f"{gateway} is {whose} of {network}; give the access point's",
        )


def _phones_network(written: Written) -> IPv4Network | None:
    """The network that the phones' fixed addresses are on, where they are given any."""
    gateway = written.text("wifi", "static", "gateway")
    if gateway is None or not written.sound("wifi", "static", "prefix"):
        return None
    prefix = written.at("wifi", "static", "prefix") or 24
    return IPv4Network(f"{gateway}/{prefix}", strict=False)


def _reserved(address: str, network: IPv4Network) -> str:
    """What the address stands for in the network; nothing if it is a machine's."""
    if IPv4Address(address) == network.network_address:
        return "the network's own address"
    if IPv4Address(address) == network.broadcast_address:
        return "the broadcast address"
    return ""


def _registry(written: Written) -> Iterator[Problem]:
    phone = written.text("registry", "phone")
    phones = written.names("phones")
    if phone is not None and phones and phone not in phones:
        yield Problem(
            path=("registry", "phone"),
            text=f"there is no {phone} under phones; name one of them, such as {phones[0]}",
        )


def _secrets(written: Written, encrypted: Collection[str] | None) -> Iterator[Problem]:
    password = written.text("secrets", PORTAINER_PASSWORD)
    if password:
        wrong = fields.too_short_for_portainer(SecretStr(password))
        if wrong is not None:
            yield Problem(path=("secrets", PORTAINER_PASSWORD), text=wrong)
    for key in SECRET_KEYS:
        if encrypted is not None and key not in encrypted and written.given(key):
            option = "--secret --path" if key == "secrets" else "--secret"
            name = f"{key}.NAME" if key == "secrets" else key
            yield Problem(
                path=(key,),
                text="stands in plain text; encrypt it: "
                f"pulumi config set {option} cloudlet:{name}",
            )


def _stack_files(written: Written, root: Path) -> Iterator[Problem]:
    for name in written.names("stacks"):
        place = ("stacks", name)
        if not written.sound(*place):
            continue
        given = [key for key in ("file", "files") if key in _map(written.at(*place))]
        if not given:
            what = WrittenStack.model_fields["file"].description
            yield Problem(path=(*place, "file"), missing=True, text=f"is missing: {what}")
        elif len(given) > 1:
            yield Problem(path=place, text="has both file and files; keep one of them")
        else:
            yield from _not_there(written, (*place, *given), root)


def _not_there(written: Written, place: tuple[str, ...], root: Path) -> Iterator[Problem]:
    value = written.at(*place)
    paths: dict[_Place, object] = {place: value}
    if isinstance(value, list):
        paths = {(*place, index): path for index, path in enumerate(cast("list[object]", value))}
    for where, path in paths.items():
        if not isinstance(path, str) or not written.sound(*where):
            continue
        if not _is_file(fields.from_root(root, path)):
            yield Problem(
                path=where,
                text=f"there is no file {fields.echo(path)}; paths start where Pulumi.yaml is",
            )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long, or a directory that may not be looked into
        return False


def _list(names: list[str]) -> str:
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return f"{', '.join(names[:-1])} and {names[-1]}"
