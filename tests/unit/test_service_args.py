"""Nothing that a compose file says of a service is lost on its way to the docker provider."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from pulumi._types import input_type_to_dict, is_input_type

from components.compose import (
    Attachment,
    FileReference,
    Healthcheck,
    Logging,
    Mount,
    Placement,
    Port,
    Resources,
    RestartPolicy,
    Service,
    UpdatePolicy,
)
from components.services.service_args import Surroundings, service_args

AROUND = Surroundings(
    stack="shop",
    networks={"net": "net-id", "other": "other-id"},
    secrets={"s": ("s-id", "s-1"), "t": ("t-id", "t-1")},
    configs={"s": ("c-id", "c-1"), "t": ("u-id", "u-1")},
    conceal=lambda text: text,
)
VOLUME = Mount(type="volume", target="/v", source="v", volume_driver="nfs")
BIND = Mount(type="bind", target="/b", source="/b")
TMPFS = Mount(type="tmpfs", target="/t")
POLICY = UpdatePolicy()
# A service with something in every part, so that each field below has a place to be seen in.
FULL = Service(
    name="web",
    image="web:1",
    healthcheck=Healthcheck(test=("CMD", "probe")),
    mounts=(VOLUME, BIND, TMPFS),
    attachments=(Attachment(network="net"),),
    ports=(Port(target=80, published=8080),),
    secrets=(FileReference(source="s", target="s"),),
    configs=(FileReference(source="s", target="s"),),
    dns=("192.168.8.1",),
    logging=Logging(driver="local"),
    resources=Resources(limit_memory=1, reserve_memory=1),
)
# What is not the provider's: the order of services, the number of replicas and the digest are
# given to it by others.
ELSEWHERE = {"image", "build", "depends_on", "replicas"}


def plain(value: Any) -> Any:
    if is_input_type(type(value)):
        return plain(input_type_to_dict(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def sent(service: Service) -> Any:
    return plain(service_args(service, "web:1", 1, AROUND))


def other(name: str, value: Any) -> Any:
    """Another value for a field."""
    chosen = {
        "mode": "global" if value == "replicated" else "host",
        "network": "other",
        "source": "t" if value == "s" else "else",
        "type": {"volume": "bind", "bind": "volume", "tmpfs": "volume"}.get(str(value)),
        "order": "start-first",
        "condition": "none",
        "protocol": "udp",
        "failure_action": "rollback",
        "isolation": "hyperv",
        "endpoint_mode": "dnsrr",
        "propagation": "rslave",
        "extra_hosts": (("router", "192.168.8.1"),),
    }.get(name)
    if chosen is not None:
        return chosen
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case tuple():
            return (*value, "x=1")
        case None:
            return {"hostname": "h", "user": "u", "init": True}.get(name, 7)
        case _:
            return {**value, "x": "1"}


TEXTS = {"working_dir", "stop_signal", "volume_driver"}
PARTS: dict[str, Any] = {
    "healthcheck": FULL.healthcheck,
    "volume": VOLUME,
    "bind": BIND,
    "tmpfs": TMPFS,
    "attachment": FULL.attachments[0],
    "port": FULL.ports[0],
    "secret": FULL.secrets[0],
    "config": FULL.configs[0],
    "update": POLICY,
    "rollback": POLICY,
    "restart": RestartPolicy(),
    "resources": FULL.resources,
    "placement": Placement(),
    "logging": FULL.logging,
}
# Each kind of mount has its own.
APART = {
    "volume": ("tmpfs_", "propagation"),
    "bind": ("volume_", "tmpfs_"),
    "tmpfs": ("volume_", "propagation", "source"),
}


def having(part: str, changed: Any) -> Service:
    place = {
        "volume": ("mounts", (changed, BIND, TMPFS)),
        "bind": ("mounts", (VOLUME, changed, TMPFS)),
        "tmpfs": ("mounts", (VOLUME, BIND, changed)),
        "attachment": ("attachments", (changed,)),
        "port": ("ports", (changed,)),
        "secret": ("secrets", (changed,)),
        "config": ("configs", (changed,)),
    }.get(part, (part, changed))
    return replace(FULL, **{place[0]: place[1]})


SINGLE = [
    field.name
    for field in fields(Service)
    if field.name not in ELSEWHERE | PARTS.keys() | {"mounts", "attachments", "ports"}
    and field.name not in ("secrets", "configs")
]
NESTED = [
    (part, field.name)
    for part, value in PARTS.items()
    if is_dataclass(value)
    for field in fields(value)
    if not field.name.startswith(APART.get(part, ()) or ("-",))
]


@pytest.mark.parametrize("name", SINGLE)
def test_each_setting_of_a_service_reaches_the_provider(name: str) -> None:
    value = getattr(FULL, name)
    changed = "x" if name in TEXTS else other(name, value)
    assert sent(replace(FULL, **{name: changed})) != sent(FULL)


@pytest.mark.parametrize(("part", "name"), NESTED)
def test_each_setting_of_a_part_of_it_reaches_the_provider(part: str, name: str) -> None:
    value = PARTS[part]
    changed = "x" if name in TEXTS else other(name, getattr(value, name))
    assert sent(having(part, replace(value, **{name: changed}))) != sent(having(part, value))
