"""From the text of a compose file to a typed stack, as ``docker stack deploy`` reads one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from . import specification
from .files import FROM_VARIABLE, contents
from .filling import fill, variables_wanted
from .keys import TOP_IGNORED, TOP_KEYS, TOP_REFUSED
from .model import Content, Service, StackSpec
from .mounts import volumes
from .networks import networks
from .node import Node
from .report import Report
from .sections import appearances, check_versions, last_entries
from .services import Surroundings, service
from .yaml_text import Value, parse


@dataclass(frozen=True, kw_only=True)
class ComposeFile:
    """``source`` is the file's name in messages."""

    source: str
    text: str


def load(
    text: str,
    *,
    source: str,
    stack: str,
    variables: Mapping[str, str],
    read: Callable[[str], bytes | str],
    builds: bool = False,
) -> StackSpec:
    """The stack that one compose file describes; see :func:`load_files`."""
    file = ComposeFile(source=source, text=text)
    return load_files([file], stack=stack, variables=variables, read=read, builds=builds)


def load_files(
    files: Sequence[ComposeFile],
    *,
    stack: str,
    variables: Mapping[str, str],
    read: Callable[[str], bytes | str],
    builds: bool = False,
) -> StackSpec:
    """The stack that compose files describe, at least one, each going over those before it.

    ``stack`` is the stack's name, which prefixes all names in Swarm. ``variables`` are all there
    are: the process's own environment plays no part. ``read`` returns a file that a compose file
    names (an ``env_file``, a secret, a config), given the path as written there, which is meant
    relative to the first compose file; it may raise :class:`OSError`. ``builds`` says that images
    are built from what services say of it; else that is ignored, as by ``docker stack deploy``.

    Raises :class:`ComposeError` with every problem of the files; no problem repeats the value of
    a variable. The result does hold such values, in plain.
    """
    report = Report(source=files[0].source)
    _check_variables(variables, report)
    parts = [_filled(file, variables, report.of(file.source)) for file in files]
    check_versions(parts)
    entries = appearances(parts, "services")
    if not entries and not report.problems:
        report.problem("services", "has no service; write at least one")
    known_networks = networks(last_entries(parts, "networks"), stack)
    around = Surroundings(
        stack=stack,
        services=frozenset(entries),
        networks=known_networks,
        volumes=volumes(last_entries(parts, "volumes"), stack),
        secrets=contents(last_entries(parts, "secrets"), "secret", stack, variables, read),
        configs=contents(last_entries(parts, "configs"), "config", stack, variables, read),
        builds=builds,
        variables=variables,
        read=read,
    )
    services = {name: service(nodes, name, around) for name, nodes in entries.items()}
    _check_cycles(services, entries)
    _check_ports(services, entries)
    specification.check(parts)
    report.raise_problems()
    used = {attachment.network for each in services.values() for attachment in each.attachments}
    return StackSpec(
        name=stack,
        services=services,
        networks={key: network for key, network in known_networks.items() if key in used},
        secrets={
            key: content
            for key, content in around.secrets.items()
            if not _for_builds_alone(key, content, services.values())
        },
        configs=around.configs,
        warnings=report.all_warnings(),
    )


def _for_builds_alone(key: str, content: Content, services: Collection[Service]) -> bool:
    """Whether no phone needs a secret, as images are built elsewhere."""
    built = [each for each in services if each.build and content in each.build.secrets.values()]
    runs = [item.source for each in services for item in each.secrets]
    return bool(built) and key not in runs


def required_variables(text: str, *, source: str) -> frozenset[str]:
    """The variables without which the file cannot be deployed: those that have no default in it.

    Raises :class:`ComposeError` where the file is not YAML at all.
    """
    file = ComposeFile(source=source, text=text)
    names: set[str] = set()
    for key, value in _top(file, Report(source=source)).items():
        names |= variables_wanted(value)
        if key in ("secrets", "configs") and isinstance(value, dict):
            for entry in value.values():
                if isinstance(entry, dict):
                    wanted = entry.get(FROM_VARIABLE, entry.get("environment"))
                    names |= {wanted} if isinstance(wanted, str) and "$" not in wanted else set()
    return frozenset(names)


def _top(file: ComposeFile, report: Report) -> dict[str, Value]:
    document = parse(file.text, source=file.source)
    root = Node(value=document, path="", report=report)
    known = root.fields(TOP_KEYS, refused=TOP_REFUSED, ignored=TOP_IGNORED)
    return {key: _without_extensions(document[key]) for key in known}


def _filled(file: ComposeFile, variables: Mapping[str, str], report: Report) -> dict[str, Node]:
    """The sections of a file, with variables filled in."""
    return {
        key: Node(value=fill(value, variables, key, report), path=key, report=report)
        for key, value in _top(file, report).items()
    }


def _check_variables(variables: Mapping[str, str], report: Report) -> None:
    """Half a character cannot be sent to anyone, and would fail where it is noticed last."""
    for name, value in variables.items():
        if any("\ud800" <= letter <= "\udfff" for letter in name + value):
            report.problem("", f"variable {name} holds half a surrogate pair; write it anew")
    report.raise_problems()


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


def _check_cycles(services: Mapping[str, Service], entries: Mapping[str, Sequence[Node]]) -> None:
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
                entries[name][-1].at("depends_on", None).problem(
                    f"the services wait for each other ({circle}); remove one of the links",
                )
                continue
            if name in done:
                continue
            path.append(name)
            waiting.append((name, True))
            waiting += [(other, False) for other in reversed(services[name].depends_on)]


def _check_ports(services: Mapping[str, Service], entries: Mapping[str, Sequence[Node]]) -> None:
    """Swarm publishes a port of its mesh for one service only."""
    owners: dict[tuple[int, str], str] = {}
    for name, each in services.items():
        for port in each.ports:
            if port.published is None or port.mode != "ingress":
                continue
            owner = owners.setdefault((port.published, port.protocol), name)
            if owner != name:
                entries[name][-1].at("ports", None).problem(
                    f"services.{owner} publishes the same port; write another one",
                )
