"""The properties of a service, as pulumi-docker 5.1.0 has them."""

from __future__ import annotations

from typing import Any, Final

from . import validators as valid
from .schema import Attr, Block, Resource
from .schema_objects import labels_block


def _text(**options: Any) -> Attr:
    return Attr(kind="string", **options)


def _time(default: str | None = None, *, computed: bool = False) -> Attr:
    return Attr(kind="string", default=default, computed=computed, validate=valid.duration)


def _count(default: int | None = None, *, computed: bool = False) -> Attr:
    return Attr(kind="int", default=default, computed=computed, validate=valid.not_negative)


def _flag() -> Attr:
    return Attr(kind="bool")


def _texts(tf: str = "", *, required: bool = False) -> Attr:
    return Attr(kind="list", tf=tf, required=required)


def _one(block: Block, **options: Any) -> Attr:
    return Attr(kind="list", one=True, block=block, **options)


def _file(kind: str) -> Block:
    return {
        "fileGid": _text(default="0"),
        "fileMode": _count(0o444),
        "fileName": _text(required=True),
        "fileUid": _text(default="0"),
        f"{kind}Id": _text(required=True),
        f"{kind}Name": _text(),
    }


_PROPAGATIONS: Final = ("private", "rprivate", "shared", "rshared", "slave", "rslave")

_MOUNT: Final[Block] = {
    "bindOptions": _one(
        {"propagation": _text(default="rprivate", validate=valid.one_of(*_PROPAGATIONS))}
    ),
    "readOnly": _flag(),
    "source": _text(),
    "target": _text(required=True),
    "tmpfsOptions": _one({"mode": Attr(kind="int"), "sizeBytes": Attr(kind="int")}),
    "type": _text(required=True, validate=valid.one_of("bind", "volume", "tmpfs")),
    "volumeOptions": _one(
        {
            "driverName": _text(),
            "driverOptions": Attr(kind="map"),
            "labels": Attr(kind="set", block=labels_block(True)),
            "noCopy": _flag(),
        }
    ),
}

_HEALTHCHECK: Final[Block] = {
    "interval": _time("0s"),
    "retries": _count(0),
    "startPeriod": _time("0s"),
    "tests": _texts("test"),
    "timeout": _time("0s"),
}

_PRIVILEGES: Final[Block] = {
    "credentialSpec": _one({"file": _text(), "registry": _text()}),
    "seLinuxContext": _one(
        {
            "disable": _flag(),
            "level": _text(),
            "role": _text(),
            "type": _text(),
            "user": _text(),
        }
    ),
}

_HOST: Final[Block] = {
    "host": _text(required=True, force_new=True),
    "ip": _text(required=True, force_new=True),
}

_CONTAINER_SPEC: Final[Block] = {
    "args": _texts(),
    "capAdds": _texts("cap_add"),
    "capDrops": _texts("cap_drop"),
    "commands": _texts("command"),
    "configs": Attr(kind="set", block=_file("config")),
    "dir": _text(),
    "dnsConfig": _one(
        {
            "nameservers": _texts(required=True),
            "options": _texts(),
            "searches": _texts("search"),
        },
        computed=True,
    ),
    "env": Attr(kind="map"),
    "groups": _texts(),
    "healthcheck": _one(_HEALTHCHECK, computed=True),
    "hostname": _text(),
    "hosts": Attr(kind="set", force_new=True, block=_HOST),
    "image": _text(required=True),
    "init": Attr(kind="bool", computed=True),
    "isolation": _text(default="default", validate=valid.one_of("default", "process", "hyperv")),
    "labels": Attr(kind="set", block=labels_block(True)),
    "mounts": Attr(kind="set", block=_MOUNT),
    "privileges": _one(_PRIVILEGES),
    "readOnly": _flag(),
    "secrets": Attr(kind="set", block=_file("secret")),
    "stopGracePeriod": _time(computed=True),
    "stopSignal": _text(),
    "sysctl": Attr(kind="map", force_new=True),
    "user": _text(),
}

_RESERVATION: Final[Block] = {
    "genericResources": _one(
        {
            "discreteResourcesSpecs": Attr(kind="set", tf="discrete_resources_spec"),
            "namedResourcesSpecs": Attr(kind="set", tf="named_resources_spec"),
        }
    ),
    "memoryBytes": Attr(kind="int"),
    "nanoCpus": Attr(kind="int"),
}

_PLATFORM: Final[Block] = {"architecture": _text(required=True), "os": _text(required=True)}

_NETWORK: Final[Block] = {
    "aliases": Attr(kind="set", force_new=True, plain_hash=True),
    "driverOpts": Attr(kind="set", force_new=True),
    "id": _text(force_new=True),
    "name": _text(force_new=True),
}

_TASK_SPEC: Final[Block] = {
    "containerSpec": _one(_CONTAINER_SPEC, required=True),
    "forceUpdate": _count(computed=True),
    "logDriver": _one({"name": _text(required=True), "options": Attr(kind="map")}),
    "networksAdvanceds": Attr(kind="set", block=_NETWORK, tf="networks_advanced"),
    "placement": _one(
        {
            "constraints": Attr(kind="set", plain_hash=True),
            "maxReplicas": _count(),
            "platforms": Attr(kind="set", block=_PLATFORM),
            "prefs": Attr(kind="set", plain_hash=True),
        },
        computed=True,
    ),
    "resources": _one(
        {
            "limits": _one({"memoryBytes": Attr(kind="int"), "nanoCpus": Attr(kind="int")}),
            "reservation": _one(_RESERVATION),
        },
        computed=True,
    ),
    "restartPolicy": _one(
        {
            "condition": _text(validate=valid.one_of("none", "on-failure", "any")),
            "delay": _time(),
            "maxAttempts": _count(),
            "window": _time(),
        },
        computed=True,
    ),
    "runtime": _text(computed=True, validate=valid.one_of("container", "plugin")),
}


def _update(*failure_actions: str) -> Attr:
    return _one(
        {
            "delay": _time("0s"),
            "failureAction": _text(default="pause", validate=valid.one_of(*failure_actions)),
            "maxFailureRatio": _text(default="0.0", validate=valid.ratio, ratio=True),
            "monitor": _time("5s"),
            "order": _text(
                default="stop-first", validate=valid.one_of("stop-first", "start-first")
            ),
            "parallelism": _count(1),
        }
    )


_PORT: Final[Block] = {
    "name": _text(),
    "protocol": _text(default="tcp", validate=valid.one_of("tcp", "udp", "sctp")),
    "publishMode": _text(default="ingress", validate=valid.one_of("host", "ingress")),
    "publishedPort": Attr(kind="int", computed=True),
    "targetPort": Attr(kind="int", required=True),
}

SERVICE: Final = Resource(
    token="docker:index/service:Service",
    title="service",
    schema_version=2,
    attrs={
        "auth": _one(
            {
                "password": _text(force_new=True, sensitive=True),
                "serverAddress": _text(required=True, force_new=True),
                "username": _text(force_new=True),
            },
            force_new=True,
        ),
        "convergeConfig": _one({"delay": _time("7s"), "timeout": _time("3m")}),
        "endpointSpec": _one(
            {
                "mode": _text(computed=True, validate=valid.one_of("vip", "dnsrr")),
                "ports": Attr(kind="list", block=_PORT),
            },
            computed=True,
        ),
        "labels": Attr(kind="set", computed=True, block=labels_block(False)),
        "mode": _one(
            {
                "global": Attr(kind="bool", default=False),
                "replicated": _one({"replicas": _count(1)}, computed=True),
            },
            computed=True,
            force_new=True,
        ),
        "name": _text(required=True, force_new=True),
        "rollbackConfig": _update("pause", "continue"),
        "taskSpec": _one(_TASK_SPEC, required=True),
        "updateConfig": _update("pause", "continue", "rollback"),
    },
)
