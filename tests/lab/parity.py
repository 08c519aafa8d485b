"""Docker's own deployment of a compose file beside ours, field by field.

:data:`REASONS` is the whole list of what may differ, and why: anything else is a defect.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Where Swarm cuts subnets from that no file asks for, one after the other.
_FROM_THE_POOL = "10.20."
NAMESPACE = "com.docker.stack.namespace"
# Neither has the field, or only one of the two has.
ABSENT = "(absent)"
# Any value will do.
ANY = "(any)"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """``path`` is a regular expression for a place such as ``service.Spec.UpdateConfig.Order``."""

    path: str
    docker: Any = ANY
    ours: Any = ANY
    why: str

    def covers(self, path: str, docker: Any, ours: Any) -> bool:
        return (
            re.fullmatch(self.path, path) is not None
            and self.docker in (ANY, docker)
            and self.ours in (ANY, ours)
        )


_SPELT_OUT = "Swarm's own default, spelt out: the docker provider sends zeros for what is left out"
_POLICY = r"service\.Spec\.(Update|Rollback)Config"
_TASK = r"service\.Spec\.TaskTemplate"
REASONS = (
    Reason(path=rf"{_TASK}\.RestartPolicy\.Window", docker=ABSENT, ours=0, why=_SPELT_OUT),
    Reason(
        path=rf"{_TASK}\.Placement\.Preferences\[.\]\.Spread\.SpreadDescriptor",
        why="to the docker provider preferences are a set, without an order: a warning says so",
    ),
    Reason(
        path=rf"{_POLICY}\.MaxFailureRatio",
        docker=0.25,
        ours=0.2,
        why="the docker provider keeps one decimal: a warning says so",
    ),
    Reason(path=rf"{_POLICY}\.Parallelism", docker=ABSENT, ours=1, why=_SPELT_OUT),
    Reason(path=rf"{_POLICY}\.FailureAction", docker=ABSENT, ours="pause", why=_SPELT_OUT),
    Reason(path=rf"{_POLICY}\.Monitor", docker=ABSENT, ours=5_000_000_000, why=_SPELT_OUT),
    Reason(path=rf"{_POLICY}\.MaxFailureRatio", docker=ABSENT, ours=0, why=_SPELT_OUT),
    Reason(path=rf"{_POLICY}\.Order", docker=ABSENT, ours="stop-first", why=_SPELT_OUT),
)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field of one object that is not the same."""

    name: str
    path: str
    docker: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.name}: {self.path}: docker {self.docker!r}, ours {self.ours!r}"

    @property
    def explained(self) -> Reason | None:
        for reason in REASONS:
            if reason.covers(self.path, self.docker, self.ours):
                return reason
        return None


Objects = Mapping[tuple[str, str], Any]


def differences(docker: Objects, ours: Objects) -> list[Difference]:
    """All of them, explained or not, an object that only one has among them."""
    found: list[Difference] = []
    for kind, name in sorted(docker.keys() | ours.keys()):
        one = dict(_flat(kind, docker.get((kind, name), ABSENT)))
        two = dict(_flat(kind, ours.get((kind, name), ABSENT)))
        found += [
            Difference(
                name=name, path=path, docker=one.get(path, ABSENT), ours=two.get(path, ABSENT)
            )
            for path in sorted(one.keys() | two.keys())
            if one.get(path, ABSENT) != two.get(path, ABSENT)
        ]
    return found


def objects(inspected: Mapping[str, list[Any]]) -> dict[tuple[str, str], Any]:
    """What ``docker inspect`` shows of stacks, comparable.

    ``inspected`` holds the lists of ``service``, ``network``, ``secret`` and ``config``. Ids become
    names, the digits that our names of secrets and configs end with go, and what is a set to Swarm
    is sorted.
    """
    networks = {each["Id"]: each["Name"] for each in inspected["network"]}
    found: dict[tuple[str, str], Any] = {}
    for each in inspected["service"]:
        found["service", each["Spec"]["Name"]] = {"Spec": _service(each["Spec"], networks)}
    for each in inspected["network"]:
        if NAMESPACE in (each.get("Labels") or {}):
            found["network", each["Name"]] = _network(each)
    for kind in ("secret", "config"):
        for each in inspected[kind]:
            spec = dict(each["Spec"])
            if NAMESPACE in (spec.get("Labels") or {}):
                spec["Name"] = _plain(spec["Name"])
                if "Data" in spec:
                    spec["Data"] = base64.b64decode(spec["Data"]).decode()
                found[kind, spec["Name"]] = spec
    return found


def _service(spec: dict[str, Any], networks: Mapping[str, str]) -> dict[str, Any]:
    task = dict(spec["TaskTemplate"])
    container = dict(task["ContainerSpec"])
    container["Env"] = sorted(container.get("Env") or [])
    container["Mounts"] = _by(container.get("Mounts"), "Target")
    for kind in ("Secret", "Config"):
        container[f"{kind}s"] = _by(
            [
                {key: value for key, value in item.items() if key != f"{kind}ID"}
                | {f"{kind}Name": _plain(item[f"{kind}Name"])}
                for item in container.get(f"{kind}s") or []
            ],
            f"{kind}Name",
        )
    task["ContainerSpec"] = container
    task["Networks"] = _by(
        [
            item
            | {
                "Target": networks.get(item["Target"], item["Target"]),
                "Aliases": sorted(item.get("Aliases") or []),
            }
            for item in task.get("Networks") or []
        ],
        "Target",
    )
    placement = dict(task.get("Placement") or {})
    placement["Constraints"] = sorted(placement.get("Constraints") or [])
    task["Placement"] = placement
    endpoint = dict(spec.get("EndpointSpec") or {})
    endpoint["Ports"] = sorted(
        endpoint.get("Ports") or [],
        key=lambda port: (port.get("PublishedPort", 0), port["Protocol"], port["TargetPort"]),
    )
    return spec | {"TaskTemplate": task, "EndpointSpec": endpoint}


def _network(inspected: dict[str, Any]) -> dict[str, Any]:
    kept = ("Name", "Driver", "Scope", "Internal", "Attachable", "Ingress", "EnableIPv6", "Labels")
    options = dict(inspected.get("Options") or {})
    # Swarm's own choice.
    options.pop("com.docker.network.driver.overlay.vxlanid_list", None)
    ipam = inspected.get("IPAM") or {}
    chosen = [
        item for item in ipam.get("Config") or [] if not item["Subnet"].startswith(_FROM_THE_POOL)
    ]
    return {key: inspected.get(key) for key in kept} | {
        "Options": options,
        "IPAM": {"Driver": ipam.get("Driver"), "Config": chosen},
    }


def _plain(name: str) -> str:
    return re.sub(r"-[0-9a-f]{8}$", "", name)


def _by(items: list[Any] | None, key: str) -> list[Any]:
    return sorted(items or [], key=lambda item: item[key])


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every leaf; an empty map or list is as good as an absent one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{path}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(f"{path}[{index}]", item)
    elif value not in (None, "") and value is not False:
        yield path, value
