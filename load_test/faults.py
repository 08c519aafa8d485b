"""What a drill does to a lab, and how each of it is undone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from components.dynamic import run_script
from components.members.managers import PHONE_LABEL, any_manager, update_node, update_spec
from components.remote.engine_api import Engine
from components.remote.ssh import connect
from components.services.convergence import judge
from load_test.shop import STACK
from load_test.watch import Sight, look
from operations.errors import OperationError
from operations.labs import Lab
from operations.pulumi_cli import ROOT

DATABASE = f"{STACK}_postgres"
DOOR = f"{STACK}_proxy"
# These keep something, and a phone's loss or an update takes them away for a while.
STATEFUL = (DATABASE, f"{STACK}_rabbitmq")
_SWITCH_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Fault:
    """``do`` returns once it is done; ``mend`` undoes it, and may be called without ``do``."""

    title: str
    do: Callable[[], None]
    mend: Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Which phones a drill takes: one each to stop as worker and as manager, and one to drain."""

    worker: str | None
    manager: str | None
    drained: str | None


def cast(roles: Mapping[str, str], sight: Sight) -> Cast:
    """Those whose loss takes coffee services with it, and leaves door and database alone.

    The door's phone is the only entry under host routing, and the database lives where its volume
    is: whoever loses one of these waits for that phone, however well the rest heals.
    """
    spared = {phone for name in (DOOR, *STATEFUL) for phone in sight.places.get(name, ())}

    def most_used(role: str | None) -> str | None:
        fit = [name for name, has in roles.items() if role in (None, has) and name not in spared]
        if not fit:
            return None
        return max(fit, key=lambda name: (_load(name, sight), name))

    return Cast(worker=most_used("worker"), manager=most_used("manager"), drained=most_used(None))


def _load(phone: str, sight: Sight) -> int:
    return sum(
        there.count(phone)
        for name, there in sight.places.items()
        if name.startswith(f"{STACK}_") and name not in STATEFUL
    )


def stopped(lab: Lab, phone: str, role: str, simulated: str | None) -> Fault:
    """A phone goes off: a simulated one (``simulated`` is its lab's name) by its power button.

    A real one is rebooted instead, for nobody could switch it on again from here.
    """
    if simulated:
        return Fault(
            title=f"{role} {phone} stopped",
            do=partial(_switch, simulated, "stop", phone),
            mend=partial(_switch, simulated, "start", phone),
        )

    def reboot() -> None:
        with connect(lab.host(phone)) as session:
            run_script(session, "reboot.sh")

    return Fault(title=f"{role} {phone} rebooted", do=reboot, mend=lambda: None)


def drained(lab: Lab, phone: str) -> Fault:
    """All tasks of a phone move to others."""

    def make(availability: str) -> None:
        def change(spec: dict[str, Any]) -> None:
            spec["Availability"] = availability

        with any_manager(lab.managers, lab.swarm_id) as manager:
            update_node(manager, _node(manager, phone), change)

    return Fault(title=f"{phone} drained", do=partial(make, "drain"), mend=partial(make, "active"))


def updated(lab: Lab, title: str, services: Sequence[str]) -> Fault:
    """Services get another image, one after the other, and then their own again.

    The other is the same under another name (with its tag or without, by its digest), so that it
    is on every phone and Swarm still replaces every task, as for any new image.
    """
    own: dict[str, str] = {}

    def set_image(service: str, image: Callable[[str], str]) -> None:
        def change(spec: dict[str, Any]) -> None:
            container = spec["TaskTemplate"]["ContainerSpec"]
            own.setdefault(service, container["Image"])
            container["Image"] = image(container["Image"])

        with any_manager(lab.managers, lab.swarm_id) as manager:
            update_spec(manager, f"/services/{service}", change)

    def do() -> None:
        for service in services:
            set_image(service, renamed)

    def mend() -> None:
        for service, image in own.items():
            set_image(service, lambda _now, image=image: image)

    return Fault(title=title, do=do, mend=mend)


def renamed(image: str) -> str:
    """Another name of the same image; raises OperationError for one that has no digest."""
    name, _, digest = image.partition("@")
    if not digest:
        raise OperationError(f"{image} is not pinned to a digest: `make up` pins it")
    folder, slash, last = name.rpartition("/")
    bare, _, tag = last.partition(":")
    return f"{folder}{slash}{bare if tag else f'{bare}:drill'}@{digest}"


def missing(manager: Engine) -> list[str]:
    """What keeps a swarm from being whole: phones, and services that do not run in full."""
    lacks = [
        f"{_name(node)} is {node['Status']['State']}, {node['Spec']['Availability']}"
        for node in manager.get("/nodes")
        if (node["Status"]["State"], node["Spec"]["Availability"]) != ("ready", "active")
    ]
    return lacks + unconverged(manager)


def unconverged(manager: Engine) -> list[str]:
    """Services that do not run in full."""
    tasks: dict[str, list[dict[str, Any]]] = {}
    for task in manager.get("/tasks"):
        tasks.setdefault(task["ServiceID"], []).append(task)
    return [
        f"{service['Spec']['Name']} does not run in full"
        for service in manager.get("/services", status=True)
        if not judge(service, tasks.get(service["ID"], [])).converged
    ]


def seen(lab: Lab) -> Sight:
    """The swarm now."""
    with any_manager(lab.managers, lab.swarm_id) as manager:
        return look(manager)


def _switch(lab_name: str, action: str, phone: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab", "--name", lab_name, action, phone],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_SWITCH_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise OperationError(f"{phone}: {action} failed: {done.stderr.strip()}")


def _node(manager: Engine, phone: str) -> str:
    for node in manager.get("/nodes"):
        if _name(node) == phone:
            return node["ID"]
    raise OperationError(f"{phone} is no member of the swarm; `make up` makes it one")


def _name(node: Mapping[str, Any]) -> str:
    return (node["Spec"].get("Labels") or {}).get(PHONE_LABEL, node["ID"])
