"""One table of the whole lab, live; a phone that does not answer is in it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from components.config.lab import Phone
from components.dial import MAJORITY_LOST, WAYS_OUT
from components.images.registry_place import lost
from components.members import quorum
from components.phones.survey import Survey, survey
from components.remote.ssh import Host, PhoneError
from toolchain.project import DEFAULT_STACK
from toolchain.where import table

from .labs import Lab
from .nodes import WHAT, Node, first_list, listed_by
from .parallel import Answers, gather, nobody_tells

# More than it takes to give up a phone that is off or whose Docker is silent, so that the reason
# is the true one.
SECONDS = 6.0
DOCKER_SECONDS = 4.0
COLUMNS = (
    "phone",
    "role",
    "state",
    "address",
    "Docker",
    "containers",
    "free memory",
    "free disk",
    "battery",
    "temperature",
    "wifi signal",
)
NOTHING = "-"
# Where Docker does not run on a phone: how that is, and what to do.
_DOCKER = {
    "stopped": "Docker is stopped: `make refresh up` starts it, and at each boot",
    "missing": "Docker is not there: `make refresh up` installs it",
    "silent": (
        "Docker gives no answer; if that lasts, `make drill-reboot PHONE={}` reboots the phone"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What was seen of a lab: each phone or why not, and the managers' list or why there is none.

    ``nodes`` is ``None`` where no manager gave its list; ``no_nodes`` then says why.
    """

    phones: Mapping[str, Survey | PhoneError]
    nodes: Sequence[Node] | None
    no_nodes: str


def report(lab: Lab, sight: Sight) -> str:
    """The table, and under it the reason for every gap in it."""
    lines = table([COLUMNS, *rows(lab.configured.phones, sight)])
    below = list(notes(lab.configured.phones, sight, lab.configured.registry_phone))
    if lab.stack.name == DEFAULT_STACK:
        below.append(
            "These phones are simulated: `.venv/bin/python -m lab status` shows their containers."
        )
    return "\n".join([*lines, "", *below] if below else lines)


def look(hosts: Sequence[Host], managers: Sequence[Host], seconds: float = SECONDS) -> Sight:
    """Asks all phones at once, and all managers for their list; ends within ``seconds``."""
    jobs: dict[tuple[str, str], Callable[[], Survey | list[Node]]] = {
        ("phone", host.name): partial(survey, host, patience=DOCKER_SECONDS) for host in hosts
    }
    jobs |= {("list", host.name): partial(listed_by, host, seconds) for host in managers}

    def enough(answers: Answers[tuple[str, str], Survey | list[Node]]) -> bool:
        surveyed = all(("phone", host.name) in answers for host in hosts)
        return surveyed and first_list(_lists(answers).values()) is not None

    answers = gather(jobs, seconds, enough)
    lists = _lists(answers)
    nodes = first_list(lists.values())
    phones = {host.name: _answer(answers, host.name, seconds) for host in hosts}
    # Why a manager does not answer at all is said once.
    speaking = [host for host in managers if not isinstance(phones[host.name], PhoneError)]
    return Sight(
        phones=phones,
        nodes=nodes,
        no_nodes="" if nodes is not None else nobody_tells(WHAT, speaking, lists, seconds),
    )


def rows(phones: Mapping[str, Phone], sight: Sight) -> Iterator[tuple[str, ...]]:
    """A line of the table for each phone."""
    for name, phone in phones.items():
        seen = sight.phones[name]
        node = node_of(name, seen, sight.nodes or ())
        yield (
            name,
            node.role if node else phone.role,
            _state(seen, node, sight),
            phone.address,
            *_condition(seen),
        )


def node_of(phone: str, seen: Survey | PhoneError, nodes: Sequence[Node]) -> Node | None:
    """The phone's entry in the list: the one that it believes to be, else the one of its name."""
    believed = "" if isinstance(seen, PhoneError) else seen.swarm.node_id
    return next(
        (node for node in nodes if node.id == believed),
        next((node for node in nodes if node.phone == phone), None),
    )


def notes(phones: Mapping[str, Phone], sight: Sight, registry: str = "") -> Iterator[str]:
    """What the table has no room for, a sentence each; ``registry`` is the phone that has it."""
    # What is wrong on this machine, as a missing key, is so for each phone.
    yield from dict.fromkeys(_of_phones(sight))
    if registry and isinstance(sight.phones[registry], PhoneError):
        there = (name for name, seen in sight.phones.items() if not isinstance(seen, PhoneError))
        yield lost(registry, next(there, "…"))
    if sight.no_nodes:
        yield sight.no_nodes
        return
    nodes = sight.nodes or ()
    if few := _too_few(sight):
        yield few
    members = [(name, node_of(name, seen, nodes)) for name, seen in sight.phones.items()]
    for name, node in members:
        if node is not None and node.role != phones[name].role:
            yield f"{name} is to be a {phones[name].role}: `make refresh up` sees to it"
        elif node is not None and _has_left(sight.phones[name], node):
            yield f"{name} has left the swarm: `make refresh up` makes it a member again"
    known = {node.id for _, node in members if node}
    for node in nodes:
        if node.id in known:
            continue
        if node.phone in phones:
            what = f"an old entry of {node.phone} ({node.id}, {node.state})"
        else:
            what = (
                f"{node.phone or node.hostname} ({node.id}, {node.state}), "
                "which is no phone of the configuration"
            )
        yield (
            f"The swarm also lists {what}; `docker node rm --force {node.id}` on a manager takes "
            "it off"
        )


def _of_phones(sight: Sight) -> Iterator[str]:
    for name, seen in sight.phones.items():
        if isinstance(seen, PhoneError):
            yield str(seen)
        elif seen.docker.state in _DOCKER:
            yield f"{name}: {_DOCKER[seen.docker.state].format(name)}"


def _too_few(sight: Sight) -> str:
    """The sum where too few managers answer; one that leads gives its list for moments yet."""
    managers = [node for node in sight.nodes or () if node.role == "manager"]
    off = {name for name, seen in sight.phones.items() if isinstance(seen, PhoneError)}
    verdict = quorum.standing(
        managers={node.id for node in managers},
        reachable={node.id for node in managers if node.reachable and node.phone not in off},
    )
    return "" if verdict.keeps_majority else f"{MAJORITY_LOST}: {verdict.sum}. {WAYS_OUT}"


def _answer(
    answers: Answers[tuple[str, str], Survey | list[Node]], phone: str, seconds: float
) -> Survey | PhoneError:
    answer = answers.get(("phone", phone))
    if isinstance(answer, Survey | PhoneError):
        return answer
    return PhoneError(f"{phone} has not told how it is within {seconds:.0f} s")


def _lists(
    answers: Answers[tuple[str, str], Survey | list[Node]],
) -> dict[str, list[Node] | PhoneError]:
    return {
        name: answer
        for (kind, name), answer in answers.items()
        if kind == "list" and not isinstance(answer, Survey)
    }


def _state(seen: Survey | PhoneError, node: Node | None, sight: Sight) -> str:
    if sight.nodes is None:
        return "does not answer" if isinstance(seen, PhoneError) else "unknown"
    if node is None:
        return "no answer, no member" if isinstance(seen, PhoneError) else "no member"
    words = [node.state]
    if isinstance(seen, PhoneError):
        words.insert(0, "no answer")
    elif seen.docker.state != "running":
        # The managers still call it ready until they miss it.
        words.insert(0, f"Docker {seen.docker.state}")
    elif _has_left(seen, node):
        words.append("left")
    if node.leader:
        words.append("leader")
    if node.availability != "active":
        words.append(node.availability)
    return ", ".join(words)


def _has_left(seen: Survey | PhoneError, node: Node) -> bool:
    """Whether the phone says itself that it is not this node; a silent Docker says nothing."""
    if isinstance(seen, PhoneError) or seen.docker.state != "running":
        return False
    return seen.swarm.node_id != node.id


def _condition(seen: Survey | PhoneError) -> tuple[str, ...]:
    if isinstance(seen, PhoneError):
        return (NOTHING,) * (len(COLUMNS) - 4)
    docker, wifi = seen.docker, seen.wifi
    return (
        docker.version if docker.state == "running" else docker.state,
        _with("", docker.containers),
        _with(f" of {_with(' MB', seen.memory_mb)}", seen.free_memory_mb),
        _with(" MB", seen.free_disk_mb),
        _with(" %", seen.battery_percent),
        _with(" °C", seen.battery_celsius),
        NOTHING if wifi is None else f"{wifi.ssid or 'off'} {_with(' %', wifi.signal)}".strip(),
    )


def _with(unit: str, value: float | None) -> str:
    return NOTHING if value is None else f"{value}{unit}"
