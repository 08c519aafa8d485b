"""A service with about everything, as a program gives it and as the Engine describes it."""

from __future__ import annotations

from typing import Any

from toolchain.docker_plugin.check import Naming, check
from toolchain.docker_plugin.plan import plan, settle
from toolchain.docker_plugin.schema_service import SERVICE
from toolchain.docker_plugin.service_spec import service_spec
from toolchain.docker_plugin.service_state import service_state
from toolchain.docker_plugin.state import stored
from toolchain.plugin.properties import public


def program_service() -> dict[str, Any]:
    """A new copy on each call."""
    container = {
        "image": "web:1",
        "commands": ["/bin/sh", "-c"],
        "args": ["sleep", "1"],
        "env": {"B": "2", "A": "1", "C": "x=y"},
        "hostname": "h",
        "stopGracePeriod": "20s",
        "init": True,
        "labels": [{"label": "l", "value": "v"}, {"label": "a", "value": "b"}],
        "healthcheck": {"tests": ["CMD", "true"], "interval": "2s", "retries": 3},
        "hosts": [{"host": "db", "ip": "10.0.0.1"}],
        "mounts": [
            {"type": "volume", "source": "data", "target": "/data", "volumeOptions": {}},
            {"type": "bind", "source": "/tmp", "target": "/t", "readOnly": True},
            {"type": "tmpfs", "target": "/r", "tmpfsOptions": {"mode": 0o777, "sizeBytes": 9}},
        ],
        "secrets": [{"secretId": "s1", "secretName": "pw", "fileName": "pw"}],
        "configs": [{"configId": "c1", "configName": "c", "fileName": "/c", "fileMode": 0o400}],
    }
    restart = {"condition": "any", "delay": "5s", "maxAttempts": 0, "window": "0s"}
    task = {
        "containerSpec": container,
        "restartPolicy": restart,
        "placement": {"constraints": ["node.role==manager", "node.labels.a==b"]},
        "resources": {"limits": {"memoryBytes": 1000, "nanoCpus": 5}},
        "logDriver": {"name": "json-file", "options": {"max-size": "1m"}},
        "networksAdvanceds": [{"id": "n1", "aliases": ["web", "www"]}],
    }
    return {
        "name": "s_web",
        "labels": [{"label": "com.docker.stack.namespace", "value": "s"}],
        "mode": {"replicated": {"replicas": 2}},
        "taskSpec": task,
        "updateConfig": {"order": "start-first", "maxFailureRatio": "0"},
        "endpointSpec": {
            "mode": "dnsrr",
            "ports": [{"targetPort": 80, "publishedPort": 80, "publishMode": "host"}],
        },
    }


def checked_service() -> dict[str, Any]:
    """The sample as the engine hands it to a diff."""
    return check(SERVICE, program_service(), {}, Naming(resource="web")).inputs


def described_service() -> dict[str, Any]:
    """The sample as the Engine describes it."""
    spec = service_spec(plan(SERVICE, None, checked_service()))
    endpoint = {"Spec": spec["EndpointSpec"], "Ports": spec["EndpointSpec"]["Ports"]}
    return {"ID": "id1", "Spec": spec, "Endpoint": endpoint}


def stored_service() -> dict[str, Any]:
    """The sample's state after it was created."""
    planned = plan(SERVICE, None, checked_service())
    read = service_state(described_service())
    return public(stored(SERVICE, settle(SERVICE, read, planned, applied=True)))
