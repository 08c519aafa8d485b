"""Pulumi's state after what was done to phones without it. Pure.

What the state says of the old machine is true of none, and so is dropped: the next `up` makes the
new one ready and a member, as it does with a new phone. Nothing is deleted anywhere by that.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

_PHONE = "cloudlet:index:Phone"
_MEMBERSHIP = "cloudlet:Membership"
_REGISTRY = "cloudlet:Registry"


def take_over(state: Mapping[str, Any], phone: str, host_key: str) -> dict[str, Any]:
    """The exported state when a machine that shows ``host_key`` has become ``phone``."""
    old = host_keys(state).get(phone, "")
    without = forget(state, phone)
    return renew_key(without, old, host_key) if old else without


def forget(state: Mapping[str, Any], phone: str) -> dict[str, Any]:
    """The exported state without the phone's own resources, its place in the swarm, and the lab's
    registry if that was there."""
    deployment = state["deployment"]
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    gone: set[str] = set()
    for resource in resources:
        if resource.get("parent") in gone or _is_of(resource, phone):
            gone.add(resource["urn"])
    kept = [_without(resource, gone) for resource in resources if resource["urn"] not in gone]
    return {**state, "deployment": {**deployment, "resources": kept}}


def as_workers(state: Mapping[str, Any], phones: Collection[str]) -> dict[str, Any]:
    """The exported state when the swarm has made workers of these phones.

    As a refresh would find them, so that the next `up` promotes them again.
    """
    deployment = state["deployment"]
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    changed = [
        _with_role(resource, "worker") if _phone_of(resource) in phones else resource
        for resource in resources
    ]
    return {**state, "deployment": {**deployment, "resources": changed}}


def renew_key(state: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """The exported state with one host key in the place of another, wherever it stands in plain.

    So that a refresh, which reaches phones by what the state says, reaches the new machine. Only
    the key itself is looked for: not everywhere does its type stand before it.
    """
    return json.loads(json.dumps(state).replace(_key(old), _key(new)))


def host_keys(state: Mapping[str, Any]) -> dict[str, str]:
    """Each phone's host key as the state has it."""
    resources: list[dict[str, Any]] = state["deployment"].get("resources") or []
    for resource in resources:
        if resource["type"] == "pulumi:pulumi:Stack":
            outputs: dict[str, Any] = resource.get("outputs") or {}
            phones: dict[str, Any] = outputs.get("phones") or {}
            return {name: phone["hostKey"] for name, phone in phones.items()}
    return {}


def _is_of(resource: Mapping[str, Any], phone: str) -> bool:
    if resource["type"] == _PHONE:
        return resource["urn"].rsplit("::", 1)[-1] == phone
    if resource["type"].endswith(_REGISTRY):
        return resource["inputs"]["name"] == phone
    return _phone_of(resource) == phone


def _phone_of(resource: Mapping[str, Any]) -> str:
    """The phone whose membership the resource is; empty for any other resource."""
    if not resource["type"].endswith(_MEMBERSHIP):
        return ""
    return resource["inputs"]["phone"]["name"]


def _with_role(resource: Mapping[str, Any], role: str) -> dict[str, Any]:
    return {
        **resource,
        "inputs": {**resource["inputs"], "role": role},
        "outputs": {**(resource.get("outputs") or {}), "role": role},
    }


def _without(resource: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """The resource as if it had never depended on those that are gone."""
    kept = dict(resource)
    if "dependencies" in kept:
        kept["dependencies"] = [urn for urn in kept["dependencies"] if urn not in gone]
    if "propertyDependencies" in kept:
        kept["propertyDependencies"] = {
            name: [urn for urn in urns or () if urn not in gone]
            for name, urns in kept["propertyDependencies"].items()
        }
    if kept.get("deletedWith") in gone:
        del kept["deletedWith"]
    return kept


def _key(host_key: str) -> str:
    """The key itself, without its type."""
    return host_key.rpartition(" ")[2]
