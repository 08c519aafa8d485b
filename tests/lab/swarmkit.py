"""A cluster with one small stack, and what must be true of it after every fault."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from labkit import NAME, PHONES, Lab, LabNames, own_configuration, wait_for

STACKS = {"still": {"file": "tests/lab/still.yml"}}
REPLICAS = 2
# Keeps the data: the one phone that no fault here makes blank.
KEEPER = "phone-2"
MARKER = "/var/lib/docker/volumes/still_data/_data/marker"
USUAL = {"phone-1": "manager", "phone-2": "manager", "phone-3": "manager", "phone-4": "worker"}
# Three heartbeats that did not come; where it was the managers' leader, an election and six.
MISSED_SECONDS = 90
# Of each lab, the configuration that it was last seen to be as.
_whole: dict[str, str] = {}


def configure(lab: Lab, roles: Mapping[str, str] = USUAL, **changes: Any) -> None:
    """The lab's configuration with the small stack and just these phones in these roles."""
    known = own_configuration(6)["cloudlet:phones"]
    phones: dict[str, Any] = {}
    for name, role in roles.items():
        labels = {"storage": "true"} if name == KEEPER else {}
        phones[name] = {**known[name], "role": role, "labels": labels}
    lab.configure(**{"stacks": STACKS, "phones": phones, **changes})


@contextmanager
def cluster(lab: Lab, roles: Mapping[str, str] = USUAL) -> Generator[Lab]:
    """The phones run the small stack, whose volume holds a marker; gone at the end."""
    configure(lab, roles)
    lab.up().ok()
    mark(lab)
    yield lab
    for phone in PHONES:
        lab.lab("start", phone).ok()
    configure(lab)
    lab.destroy().ok()
    lab.configure()


def mark(lab: Lab) -> None:
    """Leaves in the volume what no fault may take."""
    lab.on(KEEPER, f"echo precious > {MARKER}")


def ask(lab: Lab, command: str) -> str:
    """What a docker command prints on the first phone that manages the swarm."""
    reasons: list[str] = []
    for phone in lab.value("phones"):
        try:
            return lab.on(phone, command)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            reasons.append(str(error))
    raise AssertionError("\n".join(reasons))


def members(lab: Lab) -> dict[str, str]:
    """By phone: role, availability, state and node id, as the managers list them."""
    shown = (
        '{{index .Spec.Labels "cloudlet.phone"}} '
        "{{.Spec.Role}} {{.Spec.Availability}} {{.Status.State}} {{.ID}}"
    )
    listed = ask(lab, f"docker node inspect $(docker node ls -q) --format '{shown}'").splitlines()
    found = dict(line.split(" ", 1) for line in listed)
    assert len(found) == len(listed), listed
    return found


def node_id(lab: Lab, phone: str) -> str:
    """Which node the phone says that it is."""
    return lab.on(phone, "docker info --format '{{.Swarm.NodeID}}'").strip()


def advertised(lab: Lab, phone: str) -> str:
    """Where the phone told the others to reach it."""
    return lab.on(phone, "docker info --format '{{.Swarm.NodeAddr}}'").strip()


def readdress(lab: Lab, phone: str, address: str) -> None:
    """The phone is switched off and on, and has another address then."""
    names = LabNames(name=NAME)
    container = names.phone_named(phone).container
    lab.lab("stop", phone).ok()
    for change in (
        ("disconnect", names.network, container),
        ("connect", "--ip", address, names.network, container),
    ):
        subprocess.run(["docker", "network", *change], check=True)
    lab.lab("start", phone).ok()


def voters(lab: Lab, phone: str) -> set[str]:
    """Node ids of those that count as managers, listed or not, as a phone has heard of them."""
    shown = "{{range .Swarm.RemoteManagers}}{{.NodeID}} {{end}}"
    return set(lab.on(phone, f"docker info --format '{shown}'").split())


def running(lab: Lab) -> dict[str, list[str]]:
    """By service: the phones on which its tasks run, phones that are down left out.

    A simulated phone's hostname is its name. `docker service ls` would count those of a dead phone.
    """
    shown = "{{.Name}} {{.Node}} {{.CurrentState}}"
    listed = ask(
        lab,
        f"docker service ps -f desired-state=running --format '{shown}' $(docker service ls -q)",
    )
    up = {name for name, place in members(lab).items() if " ready " in place}
    found: dict[str, list[str]] = {}
    for task, phone, state, *_ in (line.split() for line in listed.splitlines()):
        if state == "Running" and phone in up:
            found.setdefault(task.rpartition(".")[0], []).append(phone)
    return found


def all_run(lab: Lab) -> bool:
    """Whether each service has all of its tasks, the keeper where its data is."""
    found = running(lab)
    return len(found.get("still_web", ())) == REPLICAS and found.get("still_keeper") == [KEEPER]


def switch_off(lab: Lab, phone: str) -> None:
    """The phone is off, and the managers have noticed."""

    def missed() -> bool:
        try:
            return " down " in members(lab)[phone]
        except AssertionError:
            # Managers that have lost their leader elect another one first.
            return False

    _whole.pop(NAME, None)
    lab.lab("stop", phone).ok()
    assert wait_for(missed, MISSED_SECONDS)


def make_whole(lab: Lab, roles: Mapping[str, str] = USUAL) -> None:
    """The phones are as they should be before a fault, whatever the one before left.

    Where the one before ended with :func:`settle` as they should be, nothing is asked again.
    """
    configure(lab, roles)
    if _whole.pop(NAME, "") != lab.config.read_text():
        lab.pulumi("up", "--refresh", "--yes", "--skip-preview").ok()


def settle(lab: Lab, *, off: Collection[str] = ()) -> str:
    """One `up --refresh` mends whatever happened; what it printed.

    After it nothing is left to change, each phone is the member that the configuration says, the
    managers list nobody else, every service runs and the volume holds what it held. Phones that
    are ``off`` are members still.
    """
    _whole.pop(NAME, None)
    output = lab.pulumi("up", "--refresh", "--yes", "--skip-preview").ok().output
    assert all_run(lab), f"{running(lab)}\n{output}"
    lab.pulumi("preview", "--refresh", "--expect-no-changes").ok()
    assert all_run(lab), f"{running(lab)}\n{output}"
    listed = members(lab)
    assert listed.keys() == lab.value("phones").keys(), f"{listed}\n{output}"
    for name, phone in lab.value("phones").items():
        if name not in off:
            place = f"{phone['role']} {phone.get('availability', 'active')} ready"
            assert listed[name] == f"{place} {node_id(lab, name)}", f"{listed}\n{output}"
    assert lab.on(KEEPER, f"cat {MARKER}") == "precious\n"
    if not off:
        _whole[NAME] = lab.config.read_text()
    return output
