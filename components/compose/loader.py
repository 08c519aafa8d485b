"""From the text of a compose file to a typed stack, as ``docker stack deploy`` reads one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .files import FROM_VARIABLE, contents
from .keys import TOP_IGNORED, TOP_KEYS, TOP_REFUSED
from .model import Service, StackSpec
from .mounts import volumes
from .networks import networks
from .node import Node, fill, variables_wanted
from .report import Report
from .services import Surroundings, service
from .yaml_text import Value, parse

_SECTIONS = ("services", "networks", "volumes", "secrets", "configs")


def load(
    text: str,
    *,
    source: str,
    stack: str,
    variables: Mapping[str, str],
    read: Callable[[str], bytes | str],
) -> StackSpec:
    """The stack that a compose file describes.

    ``source`` is the file's name in messages; ``stack`` the stack's name, which prefixes all
    names in Swarm. ``variables`` are all there are: the process's own environment plays no part.
    ``read`` returns a file that the compose file names (an ``env_file``, a secret, a config),
    given the path as written there, which is meant relative to the compose file; it may raise
    :class:`OSError`.

    Raises :class:`ComposeError` with every problem of the file; no problem repeats the value of a
    variable. The result does hold such values, in plain.
    """
    report = Report(source=source)
    top = _top(text, source, report)
    filled = {
        key: Node(
            value=fill(_without_extensions(node.value), variables, key, report),
            path=key,
            report=report,
        )
        for key, node in top.items()
    }
    sections = {
        key: filled.get(key, Node(value=None, path=key, report=report)) for key in _SECTIONS
    }
    entries = sections["services"].entries()
    if not entries and not report.problems:
        report.problem("services", "has no service; write at least one")
    known_networks = networks(sections["networks"], stack)
    around = Surroundings(
        stack=stack,
        services=frozenset(entries),
        networks=known_networks,
        volumes=volumes(sections["volumes"], stack),
        secrets=contents(sections["secrets"], "secret", stack, variables, read),
        configs=contents(sections["configs"], "config", stack, variables, read),
        variables=variables,
        read=read,
    )
    services = {name: service(node, name, around) for name, node in entries.items()}
    _check_cycles(services, report)
    _check_ports(services, report)
    report.raise_problems()
    used = {attachment.network for each in services.values() for attachment in each.attachments}
    return StackSpec(
        name=stack,
        services=services,
        networks={key: network for key, network in known_networks.items() if key in used},
        secrets=around.secrets,
        configs=around.configs,
        warnings=report.all_warnings(),
    )


def required_variables(text: str, *, source: str) -> frozenset[str]:
    """The variables without which the file cannot be deployed: those that have no default in it.

    Raises :class:`ComposeError` where the file is not YAML at all.
    """
    report = Report(source=source)
    names: set[str] = set()
    for key, node in _top(text, source, report).items():
        value = _without_extensions(node.value)
        names |= variables_wanted(value)
        if key in ("secrets", "configs") and isinstance(value, dict):
            for entry in value.values():
                if isinstance(entry, dict):
                    wanted = entry.get(FROM_VARIABLE, entry.get("environment"))
                    names |= {wanted} if isinstance(wanted, str) and "$" not in wanted else set()
    return frozenset(names)


def _top(text: str, source: str, report: Report) -> dict[str, Node]:
    root = Node(value=parse(text, source=source), path="", report=report)
    fields = root.fields(TOP_KEYS, refused=TOP_REFUSED, ignored=TOP_IGNORED)
    version = fields.pop("version", None)
    if version is not None and version.scalar().split(".")[0] != "3":
        version.problem(f"{version.shown} is not a version of Swarm's files; remove the line")
    return fields


def _without_extensions(value: Value) -> Value:
    """A section without the ``x-`` fields of its entries, whose variables nobody needs.

    Names may begin with ``x-`` (Docker deploys a service called so), and so may labels.
    """
    if not isinstance(value, dict):
        return value
    return {
        name: {
            key: item
            for key, item in entry.items()
            if not key.startswith("x-") or key == FROM_VARIABLE
        }
        if isinstance(entry, dict)
        else entry
        for name, entry in value.items()
    }


def _check_cycles(services: Mapping[str, Service], report: Report) -> None:
    done: set[str] = set()
    for start in services:
        path: list[str] = []
        waiting: list[tuple[str, bool]] = [(start, False)]
        while waiting:
            name, leaving = waiting.pop()
            if leaving:
                path.pop()
                done.add(name)
                continue
            if name in path:
                circle = " → ".join([*path[path.index(name) :], name])
                report.problem(
                    f"services.{name}.depends_on",
                    f"the services wait for each other ({circle}); remove one of the links",
                )
                continue
            if name in done:
                continue
            path.append(name)
            waiting.append((name, True))
            waiting += [(other, False) for other in reversed(services[name].depends_on)]


def _check_ports(services: Mapping[str, Service], report: Report) -> None:
    """Swarm publishes a port of its mesh for one service only."""
    owners: dict[tuple[int, str], str] = {}
    for name, each in services.items():
        for port in each.ports:
            if port.published is None or port.mode != "ingress":
                continue
            owner = owners.setdefault((port.published, port.protocol), name)
            if owner != name:
                report.problem(
                    f"services.{name}.ports",
                    f"services.{owner} publishes the same port; write another one",
                )
