"""Services on the Engine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any, Final

from . import durations
from .client import Client, filters
from .convergence import wait_until_running
from .errors import EngineError, PluginError, UnfinishedError
from .images import pin, registry_auth
from .schema_service import SERVICE
from .service_spec import service_spec
from .service_state import endpoint_known, service_state

Values = dict[str, Any]

_SETTLE_LIMIT: Final = 30.0
_DRAIN_LIMIT: Final = 120.0
_DRAIN_EXTRA: Final = 10.0
_GONE: Final = ("complete", "shutdown", "failed", "rejected", "remove", "orphaned")


class Services:
    """`credentials` are the provider's registry credentials by registry name."""

    resource = SERVICE

    def __init__(self, credentials: Mapping[str, Values]) -> None:
        self._credentials = credentials

    def create(self, client: Client, values: Values) -> Values:
        spec = service_spec(values)
        auth = self._auth(values)
        pin(client, spec, auth)
        headers = {"X-Registry-Auth": auth}
        service_id: str = client.post("/services/create", spec, headers=headers)["ID"]
        if values.get("convergeConfig"):
            try:
                wait_until_running(client, service_id, values["convergeConfig"])
            except PluginError:
                # The official plugin takes back what did not converge; the next run starts anew.
                client.delete(f"/services/{service_id}")
                raise
        return self._read_back(client, service_id, values)

    def read(self, client: Client, resource_id: str, values: Values) -> Values | None:
        service = self._find(client, resource_id, values.get("name", ""))
        if service is None:
            return None
        # What only this plugin knows is not on the Engine.
        own = {key: values.get(key) for key in ("auth", "convergeConfig")}
        return service_state(service) | own

    def update(self, client: Client, resource_id: str, values: Values) -> Values:
        before = client.get(f"/services/{resource_id}")
        client.post(
            f"/services/{resource_id}/update",
            service_spec(values),
            {"version": before["Version"]["Index"]},
            headers={"X-Registry-Auth": self._auth(values)},
        )
        if values.get("convergeConfig"):
            try:
                wait_until_running(client, resource_id, values["convergeConfig"], before=before)
            except PluginError as error:
                now = self._read_back(client, resource_id, values)
                raise UnfinishedError(resource_id, now, str(error)) from None
        return self._read_back(client, resource_id, values)

    def delete(self, client: Client, resource_id: str, values: Values) -> None:
        client.delete(f"/services/{resource_id}")
        container = (values.get("taskSpec") or {}).get("containerSpec") or {}
        grace = (durations.parse(container.get("stopGracePeriod") or "0s") or 0) / 10**9
        if grace:
            _drain(client, resource_id, min(grace + _DRAIN_EXTRA, _DRAIN_LIMIT))

    def _auth(self, values: Values) -> str:
        image: str = values["taskSpec"]["containerSpec"]["image"]
        return registry_auth(image, values.get("auth"), self._credentials)

    def _read_back(self, client: Client, service_id: str, values: Values) -> Values:
        result = self.read(client, service_id, values)
        if result is None:
            raise PluginError(f"service {values['name']} vanished while it was set up")
        return result

    def _find(self, client: Client, service_id: str, name: str) -> Values | None:
        deadline = time.monotonic() + _SETTLE_LIMIT
        while True:
            service = _inspect(client, service_id) or _named(client, name)
            if service is None or endpoint_known(service):
                return service
            if time.monotonic() > deadline:
                raise PluginError(f"service {name}: Swarm does not say how it is reached")
            time.sleep(0.2)


def _inspect(client: Client, service_id: str) -> Values | None:
    try:
        return client.get(f"/services/{service_id}")
    except EngineError as error:
        if error.status == 404:
            return None
        raise


def _named(client: Client, name: str) -> Values | None:
    """A service of that name: upstream takes it for the same one under a new id."""
    services = client.get("/services", filters(name=[name])) if name else []
    return next((service for service in services if service["Spec"]["Name"] == name), None)


def _drain(client: Client, service_id: str, limit: float) -> None:
    """Waits until the tasks of a removed service are gone; that they are not is no failure."""
    deadline = time.monotonic() + limit
    with contextlib.suppress(PluginError):
        while time.monotonic() < deadline:
            # All tasks: the Engine refuses to filter by a service that is gone.
            tasks = [task for task in client.get("/tasks") if task.get("ServiceID") == service_id]
            if all(task["Status"].get("State") in _GONE for task in tasks):
                return
            time.sleep(0.3)
