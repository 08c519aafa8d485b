"""One service of the file as Swarm gets it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .build import build
from .deploy import deploy, duration, restart
from .environment import Read, environment
from .files import references
from .image_reference import is_reference
from .keys import SERVICE_IGNORED, SERVICE_KEYS, SERVICE_REFUSED
from .merge import merged
from .model import Build, Content, Healthcheck, Logging, Network, RestartPolicy, Service
from .mounts import Volume, mounts
from .names import IMAGE_LABEL, NAMESPACE_LABEL, check_service_name
from .networks import attachments
from .node import Node
from .ports import ports
from .units import MILLISECOND, SECOND
from .words import split_words

_DEFAULT_GRACE = 10 * SECOND
_CANNOT = "cannot be set through the docker provider; remove it"
_LEFT_OUT = "is left out, as the docker provider cannot set it"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a service may refer to."""

    stack: str
    services: frozenset[str]
    networks: Mapping[str, Network]
    volumes: Mapping[str, Volume]
    secrets: Mapping[str, Content]
    configs: Mapping[str, Content]
    builds: bool
    variables: Mapping[str, str]
    read: Read


def service(nodes: Sequence[Node], name: str, around: Surroundings) -> Service:
    """The service with all defaults of ``docker stack deploy`` filled in.

    ``nodes`` are its entries in the files that have one, at least one, in the files' order.
    """
    node = nodes[0]
    check_service_name(node, name, around.stack)
    layers = [
        each.fields(SERVICE_KEYS, refused=SERVICE_REFUSED, ignored=SERVICE_IGNORED)
        for each in nodes
    ]
    fields = merged(layers)
    for key in ("stdin_open", "tty"):
        if key in fields and fields[key].boolean():
            fields[key].problem(_CANNOT)
    if "ulimits" in fields and fields["ulimits"].entries():
        fields["ulimits"].problem(_CANNOT)
    if "oom_score_adj" in fields and fields["oom_score_adj"].integer(minimum=-1000, maximum=1000):
        node.report.warn(fields["oom_score_adj"].path, _LEFT_OUT)
    made = _build(layers, fields, around)
    image = _image(nodes, fields, f"{around.stack}-{name}" if made else "")
    deployed = deploy(fields.get("deploy", node.at("deploy", None)))
    published = ports([layer.get("ports") for layer in layers])
    if deployed.endpoint_mode == "dnsrr" and any(port.mode == "ingress" for port in published):
        fields["ports"].problem(
            "Swarm cannot publish ports through its mesh with endpoint_mode dnsrr; write "
            "mode: host for each, or endpoint_mode: vip"
        )
    own = {NAMESPACE_LABEL: around.stack}
    text = _Texts(fields)
    added, dropped = _capabilities(text.many("cap_add"), text.many("cap_drop"))
    legacy_restart = restart(fields["restart"]) if "restart" in fields else None
    return Service(
        name=name,
        image=image,
        build=made,
        entrypoint=_command(fields["entrypoint"]) if "entrypoint" in fields else (),
        command=_command(fields["command"]) if "command" in fields else (),
        environment=environment(layers, around.variables, around.read),
        labels=dict(deployed.labels) | own | {IMAGE_LABEL: image},
        container_labels=text.mapping("labels") | own,
        hostname=text.one("hostname"),
        user=text.one("user"),
        working_dir=text.one("working_dir"),
        stop_signal=text.one("stop_signal"),
        stop_grace_period=duration(fields["stop_grace_period"])
        if "stop_grace_period" in fields
        else _DEFAULT_GRACE,
        init=fields["init"].boolean() if "init" in fields else None,
        read_only=fields["read_only"].boolean() if "read_only" in fields else False,
        cap_add=added,
        cap_drop=dropped,
        sysctls=text.mapping("sysctls"),
        dns=_addresses(fields["dns"]) if "dns" in fields else (),
        dns_search=text.one_or_many("dns_search"),
        dns_options=text.one_or_many("dns_opt"),
        extra_hosts=_extra_hosts(fields["extra_hosts"]) if "extra_hosts" in fields else (),
        isolation=text.one("isolation"),
        healthcheck=_healthcheck(fields["healthcheck"]) if "healthcheck" in fields else None,
        mounts=mounts([layer.get("volumes") for layer in layers], around.volumes),
        attachments=attachments(fields.get("networks"), name, around.networks),
        ports=published,
        secrets=references([layer.get("secrets") for layer in layers], "secret", around.secrets),
        configs=references([layer.get("configs") for layer in layers], "config", around.configs),
        mode=deployed.mode,
        replicas=deployed.replicas,
        update=deployed.update,
        rollback=deployed.rollback,
        restart=deployed.restart or legacy_restart or RestartPolicy(),
        resources=deployed.resources,
        placement=deployed.placement,
        endpoint_mode=deployed.endpoint_mode,
        logging=_logging(fields["logging"]) if "logging" in fields else None,
        depends_on=_depends_on(fields["depends_on"], around.services)
        if "depends_on" in fields
        else (),
    )


class _Texts:
    """Short names for the plain values of a service."""

    def __init__(self, fields: Mapping[str, Node]) -> None:
        self._fields = fields

    def one(self, key: str) -> str | None:
        return self._fields[key].text() if key in self._fields else None

    def many(self, key: str) -> tuple[str, ...]:
        return self._fields[key].texts() if key in self._fields else ()

    def one_or_many(self, key: str) -> tuple[str, ...]:
        return self._fields[key].text_or_texts() if key in self._fields else ()

    def mapping(self, key: str) -> dict[str, str]:
        return self._fields[key].string_map() if key in self._fields else {}


def _build(
    layers: Sequence[Mapping[str, Node]], fields: Mapping[str, Node], around: Surroundings
) -> Build | None:
    if "build" in fields and around.builds:
        return build(fields["build"], around.variables, around.secrets)
    for layer in layers:
        # As docker stack deploy, which has no use for it.
        if "build" in layer and "image" in fields:
            layer["build"].report.ignore(layer["build"].path)
    return None


def _image(nodes: Sequence[Node], fields: Mapping[str, Node], of_build: str) -> str:
    """The image's name; ``of_build`` is that of one which is built and has no other."""
    if "image" in fields:
        image = fields["image"].name()
        if image.strip() and not is_reference(image):
            spaces = any(letter.isspace() for letter in image)
            how = "remove the spaces" if spaces else "write name, name:tag or name@sha256:…"
            fields["image"].problem(f"{fields['image'].shown} is not an image; {how}")
        return image
    if of_build:
        return of_build
    if "build" in fields:
        fields["build"].problem(
            "the phones need a registry to have the image from; write `cloudlet:registry: {phone: "
            "phone-1}` into the lab's file, or push the image yourself and write image: and its "
            "name here"
        )
    else:
        nodes[0].report.problem(nodes[0].path, "has no image; write image: and its name")
    return ""


def _command(node: Node) -> tuple[str, ...]:
    if not node.is_text:
        return node.texts()
    try:
        return split_words(node.text())
    except ValueError as error:
        node.problem(f"has {error}")
        return ()


def _capabilities(
    add: tuple[str, ...], drop: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The Docker CLI's normal form: prefixed, sorted, and nothing dropped that is added."""
    added = {_capability(name) for name in add}
    dropped = {_capability(name) for name in drop}
    if "ALL" in added:
        added = {"ALL"}
    if "ALL" in dropped:
        dropped = {"ALL"}
    return tuple(sorted(added)), tuple(sorted(dropped - added))


def _capability(name: str) -> str:
    upper = name.strip().upper()
    return upper if upper == "ALL" or upper.startswith("CAP_") else f"CAP_{upper}"


def _addresses(node: Node) -> tuple[str, ...]:
    for item in [node] if node.is_text else node.items():
        try:
            ipaddress.ip_address(item.text())
        except ValueError:
            item.problem(f"{item.shown} is not an IP address; write one such as 192.168.8.1")
    return node.text_or_texts() if node.is_text or node.is_list else ()


def _extra_hosts(node: Node) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    if not node.is_list:
        for host, entry in sorted(node.entries().items()):
            found.append((host, _without_brackets(entry.text())))
        return tuple(found)
    for item in node.items():
        text = item.text()
        host, separator, address = text.partition("=" if "=" in text else ":")
        if not separator or not host or not address:
            item.problem(f"{item.shown} is no host with an address; write name=192.168.8.1")
            continue
        found.append((host, _without_brackets(address)))
    return tuple(found)


def _without_brackets(address: str) -> str:
    return address[1:-1] if address.startswith("[") and address.endswith("]") else address


def _healthcheck(node: Node) -> Healthcheck | None:
    fields = node.fields(
        {"disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"}
    )
    if "start_interval" in fields:
        node.report.warn(fields["start_interval"].path, _LEFT_OUT)
    if "disable" in fields and fields["disable"].boolean():
        if "test" in fields:
            fields["disable"].problem("stands beside a test; remove one of the two")
        return Healthcheck(test=("NONE",))
    given = [key for key in ("interval", "timeout", "start_period") if key in fields]
    times = {key: duration(fields[key]) for key in given}
    for key, time in times.items():
        if 0 < time < MILLISECOND:
            fields[key].problem(f"{fields[key].shown} is too short for Docker; write at least 1ms")
    return Healthcheck(
        test=_test(fields["test"]) if "test" in fields else (),
        interval=times.get("interval"),
        timeout=times.get("timeout"),
        start_period=times.get("start_period"),
        retries=fields["retries"].integer() if "retries" in fields else None,
    )


def _test(node: Node) -> tuple[str, ...]:
    if node.is_text:
        return ("CMD-SHELL", node.text())
    words = node.texts()
    if words and words[0] not in ("NONE", "CMD", "CMD-SHELL"):
        node.problem("a list must begin with CMD, CMD-SHELL or NONE; write CMD before it")
    return words


def _logging(node: Node) -> Logging:
    fields = node.fields({"driver", "options"})
    return Logging(
        # Without a driver Docker applies the options to its default one.
        driver=fields["driver"].name() if "driver" in fields else "json-file",
        options=fields["options"].string_map() if "options" in fields else {},
    )


def _depends_on(node: Node, known: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []
    if node.is_mapping:
        for name, entry in node.entries().items():
            fields = entry.fields({"condition", "required"}, ignored={"restart"})
            if "condition" in fields:
                _condition(fields["condition"])
            if name in known:
                found.append(name)
            elif "required" not in fields or fields["required"].boolean():
                entry.problem("the file has no such service; write the name of one")
        return tuple(found)
    for item in node.items():
        name = item.text()
        if name in known:
            found.append(name)
        elif name:
            item.problem(f"{item.shown}: the file has no such service; write the name of one")
    return tuple(found)


def _condition(node: Node) -> None:
    if node.value == "service_completed_successfully":
        node.problem("a Swarm service never completes; write service_started or service_healthy")
        return
    node.choice("service_started", "service_healthy")
