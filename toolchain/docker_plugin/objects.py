"""Networks, secrets and configs on the Engine. None of them can be updated."""

from __future__ import annotations

import base64
import time
from typing import Any, Final, Protocol

from toolchain.plugin.properties import UNKNOWN

from .client import Client
from .errors import EngineError, PluginError
from .schema import Resource
from .schema_objects import CONFIG, NETWORK, SECRET
from .state import found

Values = dict[str, Any]

# Swarm lets go of a network only when the last task on it is gone, which takes it some seconds.
_RELEASE_LIMIT: Final = 60.0
_RELEASE_PAUSE: Final = 0.5
_ALLOCATION_LIMIT: Final = 30.0


class Manager(Protocol):
    """What the server does with resources of one type. `values` carry no markers."""

    resource: Resource

    def create(self, client: Client, values: Values, /) -> Values:
        """Creates what a plan says; the values read back, `id` among them."""
        ...

    def read(self, client: Client, resource_id: str, values: Values, /) -> Values | None:
        """What is there, or None if it is gone. Raises when that cannot be told."""
        ...

    def update(self, client: Client, resource_id: str, values: Values, /) -> Values: ...

    def delete(self, client: Client, resource_id: str, values: Values, /) -> None:
        """Removes it; that it is gone already is fine."""
        ...


class _Fixed:
    resource: Resource

    def update(self, _client: Client, _resource_id: str, _values: Values) -> Values:
        raise PluginError(f"a {self.resource.title} cannot be updated, only replaced")


class Networks(_Fixed):
    """Networks, of a swarm or of one Engine."""

    resource = NETWORK

    def create(self, client: Client, values: Values) -> Values:
        network_id = client.post("/networks/create", network_request(values))["Id"]
        return _required(self.read(client, network_id, values), "network", values)

    def read(self, client: Client, resource_id: str, _values: Values) -> Values | None:
        deadline = time.monotonic() + _ALLOCATION_LIMIT
        while True:
            network = _inspect(client, f"/networks/{resource_id}")
            # Swarm gives a new network its driver and addresses a moment after it exists.
            if network is None or network.get("Driver") or time.monotonic() > deadline:
                return None if network is None else network_state(network)
            time.sleep(_RELEASE_PAUSE / 5)

    def delete(self, client: Client, resource_id: str, _values: Values) -> None:
        deadline = time.monotonic() + _RELEASE_LIMIT
        while True:
            try:
                client.delete(f"/networks/{resource_id}")
                break
            except EngineError as error:
                waiting = "active endpoints" in str(error) or "in use by task" in str(error)
                if not waiting or time.monotonic() > deadline:
                    raise
            time.sleep(_RELEASE_PAUSE)
        # Swarm forgets the network at once, but the name is free only when this node lets go too.
        while _inspect(client, f"/networks/{resource_id}") and time.monotonic() < deadline:
            time.sleep(_RELEASE_PAUSE)


def network_request(values: Values) -> Values:
    """The Engine's request for a network. Pure."""
    known = {k: v for k, v in values.items() if v not in (None, UNKNOWN)}
    request: Values = {
        "Name": known["name"],
        "Labels": _labels(known.get("labels")),
        "Driver": known.get("driver", ""),
        "Options": known.get("options") or {},
        "Internal": known.get("internal", False),
        "Attachable": known.get("attachable", False),
        "Ingress": known.get("ingress", False),
        "IPAM": {
            "Driver": known.get("ipamDriver", ""),
            "Options": known.get("ipamOptions") or None,
            "Config": [_ipam(config) for config in known.get("ipamConfigs") or []],
        },
    }
    return request | ({"EnableIPv6": True} if known.get("ipv6") else {})


def _ipam(config: Values) -> Values:
    names = (("subnet", "Subnet"), ("ipRange", "IPRange"), ("gateway", "Gateway"))
    result = {name: config[key] for key, name in names if config.get(key)}
    return result | ({"AuxAddress": config["auxAddress"]} if config.get("auxAddress") else {})


def network_state(network: Values) -> Values:
    """The state of an inspected network. Pure."""
    ipam: Values = network.get("IPAM") or {}
    block = NETWORK.attrs["ipamConfigs"].block or {}
    configs = [
        {
            key: config[name]
            for key, name in (
                ("subnet", "Subnet"),
                ("ipRange", "IPRange"),
                ("gateway", "Gateway"),
                ("auxAddress", "AuxAddress"),
            )
            if config.get(name)
        }
        for config in ipam.get("Config") or []
    ]
    return {
        "id": network["Id"],
        "attachable": network.get("Attachable", False),
        "driver": network.get("Driver", ""),
        "ingress": network.get("Ingress", False),
        "internal": network.get("Internal", False),
        "ipamConfigs": [found(block, config) for config in configs],
        "ipamDriver": ipam.get("Driver", ""),
        "ipamOptions": ipam.get("Options") or {},
        "ipv6": network.get("EnableIPv6", False),
        "labels": _label_list(network.get("Labels")),
        "name": network["Name"],
        "options": network.get("Options") or {},
        "scope": network.get("Scope", ""),
    }


class Secrets(_Fixed):
    """Secrets, whose `data` is base64 as the Engine takes it and is never read back."""

    resource = SECRET

    def create(self, client: Client, values: Values) -> Values:
        labels = _labels(values.get("labels"))
        body = {"Name": values["name"], "Data": values["data"], "Labels": labels}
        secret_id = client.post("/secrets/create", body)["ID"]
        return _required(self.read(client, secret_id, values), "secret", values)

    def read(self, client: Client, resource_id: str, values: Values) -> Values | None:
        secret = _inspect(client, f"/secrets/{resource_id}")
        if secret is None:
            return None
        # The Engine never shows a secret's data; its labels upstream does not read either.
        kept = {"data": values.get("data"), "labels": values.get("labels")}
        return {"id": secret["ID"], "name": secret["Spec"]["Name"], **kept}

    def delete(self, client: Client, resource_id: str, _values: Values) -> None:
        client.delete(f"/secrets/{resource_id}")


class Configs(_Fixed):
    """Configs: `data` as base64, or `dataRaw` as plain text."""

    resource = CONFIG

    def create(self, client: Client, values: Values) -> Values:
        data = values.get("data")
        if values.get("dataRaw") is not None:
            data = base64.b64encode(values["dataRaw"].encode()).decode()
        labels = _labels(values.get("labels"))
        body = {"Name": values["name"], "Data": data, "Labels": labels}
        config_id = client.post("/configs/create", body)["ID"]
        return _required(self.read(client, config_id, values), "config", values)

    def read(self, client: Client, resource_id: str, values: Values) -> Values | None:
        config = _inspect(client, f"/configs/{resource_id}")
        if config is None:
            return None
        spec = config["Spec"]
        data: str = spec.get("Data") or ""
        result: Values = {"data": data, "dataRaw": None}
        if values.get("dataRaw"):
            raw = base64.b64decode(data).decode(errors="replace")
            result = {"data": values.get("data"), "dataRaw": raw}
        labels = _label_list(spec.get("Labels"))
        return {"id": config["ID"], "name": spec["Name"], "labels": labels, **result}

    def delete(self, client: Client, resource_id: str, _values: Values) -> None:
        client.delete(f"/configs/{resource_id}")


def _inspect(client: Client, path: str) -> Values | None:
    try:
        return client.get(path)
    except EngineError as error:
        if error.status == 404:
            return None
        raise


def _required(values: Values | None, title: str, planned: Values) -> Values:
    if values is None:
        raise PluginError(f"{title} {planned['name']} was gone right after it was created")
    return values


def _labels(labels: list[Values] | None) -> dict[str, str]:
    return {label["label"]: label["value"] for label in labels or []}


def _label_list(labels: dict[str, str] | None) -> list[Values]:
    return [{"label": key, "value": value} for key, value in sorted((labels or {}).items())]


def network_by_name(client: Client, name: str) -> Values:
    """What the program's function getNetwork returns. Raises PluginError if there is none."""
    network = _inspect(client, f"/networks/{name}")
    if network is None:
        raise PluginError(f"getNetwork: there is no network {name}")
    state = network_state(network)
    keys = ("driver", "id", "internal", "ipamConfigs", "name", "options", "scope")
    return {key: state[key] for key in keys}
