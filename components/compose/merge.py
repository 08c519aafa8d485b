"""A service that stands in several files, as ``docker stack deploy -c one -c two`` merges it.

The rules are those of the Docker CLI (its ``cli/compose/loader/merge.go``), which merges what it
has read: a list grows, a mapping is merged key by key, and a single value replaces the one before
unless it is zero or empty, which to the CLI is the same as not given. Where this drops something
that a file says, a warning names it.

Ports, mounts, secrets and configs are not in the table: they go by what they become (see
``collapse.py``). Nor is the environment, which is complete in each file before it is merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from .filling import Text
from .node import Node
from .report import KEPT
from .units import parse_duration, parse_size

Rule: TypeAlias = Callable[[Node, Node], Node]
_NO = ("", "n", "no", "false", "off")


def merged(layers: Sequence[Mapping[str, Node]]) -> dict[str, Node]:
    """The keys of a service out of those in each file, in the files' order."""
    found = dict(layers[0])
    for layer in layers[1:]:
        found = _by(_SERVICE, found, layer)
    return found


def _by(
    rules: Mapping[str, Rule], base: Mapping[str, Node], over: Mapping[str, Node]
) -> dict[str, Node]:
    found = dict(base)
    for key, node in over.items():
        rule = rules.get(key, _replaced)
        found[key] = rule(base[key], node) if key in base else node
    return found


def _replaced(base: Node, over: Node) -> Node:  # noqa: ARG001  (as every rule is called)
    return over


def _unless(is_zero: Callable[[Node], bool]) -> Rule:
    def rule(base: Node, over: Node) -> Node:
        if not is_zero(over):
            return over
        if not is_zero(base):
            over.report.warn(over.path, KEPT)
        return base

    return rule


def _no(node: Node) -> bool:
    return not node.value or (isinstance(node.value, str) and node.value.lower() in _NO)


def _number_is_zero(node: Node) -> bool:
    try:
        return not node.value or (isinstance(node.value, str) and float(node.value) == 0)
    except ValueError:
        return False


def _zero_by(parse: Callable[[str], int]) -> Callable[[Node], bool]:
    def is_zero(node: Node) -> bool:
        try:
            return not node.value or (isinstance(node.value, str) and parse(node.value) == 0)
        except ValueError:
            return False

    return is_zero


_word = _unless(lambda node: not node.value)
_flag = _unless(_no)
_number = _unless(_number_is_zero)
_time = _unless(_zero_by(parse_duration))
_size = _unless(_zero_by(parse_size))


def _nested(rules: Mapping[str, Rule]) -> Rule:
    def rule(base: Node, over: Node) -> Node:
        return _made(over, _by(rules, _set(base), _set(over)))

    return rule


def _set(node: Node) -> dict[str, Node]:
    return {key: entry for key, entry in node.entries().items() if entry.value is not None}


def _made(like: Node, value: dict[str, Node] | list[Node]) -> Node:
    return Node(value=value, path=like.path, report=like.report)


def _appended(base: Node, over: Node) -> Node:
    return _made(over, [*_listed(base), *_listed(over)])


def _listed(node: Node) -> list[Node]:
    return [node] if node.is_text else node.items()


def _mapped(base: Node, over: Node) -> Node:
    return _made(over, base.pairs() | over.pairs())


def _named(node: Node) -> dict[str, Node]:
    """A mapping, or a list of names, as a mapping."""
    if not node.is_list:
        return node.entries()
    return {item.text(): item.below(item.path, None) for item in node.items()}


def _depends_on(base: Node, over: Node) -> Node:
    return _made(over, _named(base) | _named(over))


def _extra_hosts(base: Node, over: Node) -> Node:
    return _made(over, [*_hosts(base), *_hosts(over)])


def _hosts(node: Node) -> Iterable[Node]:
    if node.is_list:
        return node.items()
    return [
        entry.below(entry.path, _after(f"{host}=", entry.value))
        if isinstance(entry.value, str)
        else entry
        for host, entry in sorted(node.entries().items())
    ]


def _after(prefix: str, value: str) -> str:
    """``value`` behind ``prefix``; what the file says stays known beside what is filled in."""
    if not isinstance(value, Text):
        return prefix + value
    text = Text(prefix + value)
    text.template, text.broken = prefix + value.template, value.broken
    return text


def _networks(base: Node, over: Node) -> Node:
    found = _named(base)
    for key, node in _named(over).items():
        before = found.get(key)
        if before is None or before.value is None:
            found[key] = node
        elif node.value is not None:
            found[key] = _attachment(before, node)
    return _made(over, found)


def _attachment(base: Node, over: Node) -> Node:
    """The later file's aliases alone, and the earlier one's options."""
    older, newer = _set(base), _set(over)
    if "driver_opts" in newer:
        option = newer["driver_opts"]
        option.report.warn(
            option.path,
            "is lost, as docker stack deploy keeps a network's options as the file before has "
            "them; write it there",
        )
    if "aliases" in older and "aliases" not in newer:
        over.report.warn(
            over.path, "the aliases of the file before are lost, as in docker stack deploy"
        )
    kept = {key: entry for key, entry in older.items() if key not in ("aliases", "driver_opts")}
    options = {"driver_opts": older["driver_opts"]} if "driver_opts" in older else {}
    added = {key: entry for key, entry in newer.items() if key != "driver_opts"}
    return _made(over, kept | options | added)


def _logging(base: Node, over: Node) -> Node:
    older, newer = _set(base), _set(over)
    drivers = [side["driver"] for side in (older, newer) if "driver" in side]
    drivers = [driver for driver in drivers if driver.value != ""]
    if len({driver.text() for driver in drivers}) > 1:
        return over
    found = {"driver": drivers[0]} if drivers else {}
    if "options" in older:
        options = older["options"]
        if "options" in newer:
            options = _mapped(options, newer["options"])
        found["options"] = options
    elif "options" in newer:
        option = newer["options"]
        option.report.warn(
            option.path,
            "is lost, as docker stack deploy adds options only to those of the file before; write "
            "it there",
        )
    return _made(over, found)


def _test(base: Node, over: Node) -> Node:
    over.report.warn(
        over.path,
        "docker stack deploy appends it to the test of the file before; write it in one file only",
    )
    return _made(over, [*_words(base), *_words(over)])


def _words(node: Node) -> list[Node]:
    return [node.below(node.path, "CMD-SHELL"), node] if node.is_text else node.items()


def _build(base: Node, over: Node) -> Node:
    """The Compose specification's rule: docker stack deploy has none, as it builds nothing."""
    return _nested({"args": _mapped, "secrets": _appended})(_long(base), _long(over))


def _long(node: Node) -> Node:
    return _made(node, {"context": node}) if node.is_text else node


_POLICY: Mapping[str, Rule] = {
    "delay": _time,
    "failure_action": _word,
    "max_failure_ratio": _number,
    "monitor": _time,
    "order": _word,
}
_DEPLOY: Mapping[str, Rule] = {
    "endpoint_mode": _word,
    "labels": _mapped,
    "mode": _word,
    "placement": _nested(
        {"constraints": _appended, "max_replicas_per_node": _number, "preferences": _appended}
    ),
    "resources": _nested(
        {
            "limits": _nested({"cpus": _word, "memory": _size, "pids": _number}),
            "reservations": _nested(
                {"cpus": _word, "generic_resources": _appended, "memory": _size}
            ),
        }
    ),
    "restart_policy": _nested({"condition": _word, "delay": _time, "window": _time}),
    "rollback_config": _nested(_POLICY),
    "update_config": _nested(_POLICY),
}
_SERVICE: Mapping[str, Rule] = {
    "build": _build,
    "cap_add": _appended,
    "cap_drop": _appended,
    "command": _word,
    "depends_on": _depends_on,
    "deploy": _nested(_DEPLOY),
    "dns": _appended,
    "dns_opt": _appended,
    "dns_search": _appended,
    "entrypoint": _word,
    "extra_hosts": _extra_hosts,
    "healthcheck": _nested(
        {
            "disable": _flag,
            "interval": _time,
            "start_interval": _time,
            "start_period": _time,
            "test": _test,
            "timeout": _time,
        }
    ),
    "hostname": _word,
    "image": _word,
    "init": _flag,
    "isolation": _word,
    "labels": _mapped,
    "logging": _logging,
    "networks": _networks,
    "oom_score_adj": _number,
    "read_only": _flag,
    "restart": _word,
    "stdin_open": _flag,
    "stop_grace_period": _time,
    "stop_signal": _word,
    "sysctls": _mapped,
    "tty": _flag,
    "ulimits": _nested({}),
    "user": _word,
    "working_dir": _word,
}
