"""The Engine's spec of a service from the planned state. Pure.

Field by field what the official plugin sends, except that environment variables are sorted: in
any other order Swarm would take the next update for a change and restart every task.
"""

from __future__ import annotations

from typing import Any, cast

from toolchain.plugin.properties import UNKNOWN

from . import durations
from .hashing import in_hash_order
from .schema import Attr, Block
from .schema_service import SERVICE

Values = dict[str, Any]


def service_spec(state: Values) -> Values:
    """`state` is what a plan gave; unknown values count as absent."""
    values = _known(state)
    return {
        "Name": values["name"],
        "Labels": _labels(values.get("labels")),
        "TaskTemplate": _task(values["taskSpec"], _inner(SERVICE.attrs, "taskSpec")),
        "Mode": _mode(values.get("mode") or {}),
        **_optional("UpdateConfig", _update_config(values.get("updateConfig"))),
        **_optional("RollbackConfig", _update_config(values.get("rollbackConfig"))),
        "EndpointSpec": _endpoint(values.get("endpointSpec") or {}),
    }


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _known(v) for k, v in cast("Values", value).items() if v not in (None, UNKNOWN)}
    if isinstance(value, list):
        return [_known(v) for v in cast("list[Any]", value)]
    return value


def _inner(block: Block, key: str) -> Block:
    inner = block[key].block
    assert inner is not None, key
    return inner


def _sorted_set(block: Block, values: Values, key: str) -> list[Any]:
    attr: Attr = block[key]
    return in_hash_order(attr, values.get(key) or [])


def _optional(key: str, value: Any) -> Values:
    return {} if value is None else {key: value}


def _filled(**fields: Any) -> Values:
    """The fields that have something in them: Go's `omitempty`."""
    return {key: value for key, value in fields.items() if value}


def _labels(labels: list[Values] | None) -> dict[str, str]:
    return {label["label"]: label["value"] for label in labels or []}


def _nanoseconds(text: str | None) -> int:
    return durations.parse(text or "0s") or 0


def _task(task: Values, block: Block) -> Values:
    networks = [_network(n) for n in _sorted_set(block, task, "networksAdvanceds")]
    return {
        "ContainerSpec": _container(task["containerSpec"], _inner(block, "containerSpec")),
        "Resources": _resources(task.get("resources") or {}),
        "RestartPolicy": _restart_policy(task.get("restartPolicy")),
        "Placement": _placement(task.get("placement") or {}, _inner(block, "placement")),
        "ForceUpdate": task.get("forceUpdate") or 0,
        **_filled(Runtime=task.get("runtime"), Networks=networks),
        **_optional("LogDriver", _log_driver(task.get("logDriver"))),
    }


def _container(spec: Values, block: Block) -> Values:
    env = [f"{key}={value}" for key, value in sorted((spec.get("env") or {}).items()) if key]
    mounts = [_mount(mount) for mount in _sorted_set(block, spec, "mounts")]
    secrets = [_file("Secret", "secret", s) for s in _sorted_set(block, spec, "secrets")]
    configs = [_file("Config", "config", c) for c in _sorted_set(block, spec, "configs")]
    hosts = [f"{host['ip']} {host['host']}" for host in _sorted_set(block, spec, "hosts")]
    return {
        **_filled(
            Image=spec["image"],
            Labels=_labels(spec.get("labels")),
            Command=spec.get("commands"),
            Args=spec.get("args"),
            Hostname=spec.get("hostname"),
            Env=env,
            Dir=spec.get("dir"),
            User=spec.get("user"),
            Groups=spec.get("groups"),
            ReadOnly=spec.get("readOnly"),
            Mounts=mounts,
            StopSignal=spec.get("stopSignal"),
            Hosts=hosts,
            Secrets=secrets,
            Configs=configs,
            Isolation=spec.get("isolation"),
            Sysctls=spec.get("sysctl"),
            CapabilityAdd=spec.get("capAdds"),
            CapabilityDrop=spec.get("capDrops"),
        ),
        **_optional("Privileges", _privileges(spec.get("privileges"))),
        # The official plugin sends these even when nobody asked for them; so both make one spec.
        "StopGracePeriod": _nanoseconds(spec.get("stopGracePeriod")),
        "Healthcheck": _healthcheck(spec.get("healthcheck") or {}),
        "DNSConfig": _dns(spec.get("dnsConfig") or {}),
        "Init": bool(spec.get("init")),
    }


def _privileges(privileges: Values | None) -> Values | None:
    if privileges is None:
        return None
    selinux = privileges.get("seLinuxContext")
    credentials = privileges.get("credentialSpec")
    result: Values = {}
    if credentials is not None:
        result["CredentialSpec"] = {
            "File": credentials.get("file", ""),
            "Registry": credentials.get("registry", ""),
        }
    if selinux is not None:
        result["SELinuxContext"] = {
            "Disable": bool(selinux.get("disable")),
            **{key.title(): selinux.get(key, "") for key in ("user", "role", "type", "level")},
        }
    return result


def _mount(mount: Values) -> Values:
    result = _filled(
        Type=mount["type"],
        Source=mount.get("source"),
        Target=mount["target"],
        ReadOnly=mount.get("readOnly"),
    )
    bind, volume, tmpfs = (mount.get(f"{kind}Options") for kind in ("bind", "volume", "tmpfs"))
    if bind is not None:
        result["BindOptions"] = _filled(Propagation=bind.get("propagation"))
    if volume is not None:
        driver = _filled(Name=volume.get("driverName"), Options=volume.get("driverOptions"))
        result["VolumeOptions"] = {
            **_filled(NoCopy=volume.get("noCopy"), Labels=_labels(volume.get("labels"))),
            "DriverConfig": driver,
        }
    if tmpfs is not None:
        result["TmpfsOptions"] = _filled(SizeBytes=tmpfs.get("sizeBytes"), Mode=tmpfs.get("mode"))
    return result


def _file(kind: str, key: str, reference: Values) -> Values:
    return {
        f"{kind}ID": reference[f"{key}Id"],
        f"{kind}Name": reference.get(f"{key}Name", ""),
        "File": {
            "Name": reference["fileName"],
            "UID": reference.get("fileUid", "0"),
            "GID": reference.get("fileGid", "0"),
            "Mode": reference.get("fileMode", 0o444),
        },
    }


def _healthcheck(check: Values) -> Values:
    return _filled(
        Test=check.get("tests"),
        Interval=_nanoseconds(check.get("interval")),
        Timeout=_nanoseconds(check.get("timeout")),
        StartPeriod=_nanoseconds(check.get("startPeriod")),
        Retries=check.get("retries"),
    )


def _dns(config: Values) -> Values:
    return _filled(
        Nameservers=config.get("nameservers"),
        Search=config.get("searches"),
        Options=config.get("options"),
    )


def _resources(resources: Values) -> Values:
    result: Values = {}
    for key, name in (("limits", "Limits"), ("reservation", "Reservations")):
        given = resources.get(key)
        if given is not None:
            generic = _generic(given.get("genericResources") or {})
            result[name] = _filled(
                NanoCPUs=given.get("nanoCpus"),
                MemoryBytes=given.get("memoryBytes"),
                GenericResources=generic,
            )
    return result


def _generic(resources: Values) -> list[Values]:
    named = (text.partition("=") for text in sorted(resources.get("namedResourcesSpecs") or []))
    discrete = (
        text.partition("=") for text in sorted(resources.get("discreteResourcesSpecs") or [])
    )
    return [
        *({"NamedResourceSpec": {"Kind": k, "Value": v}} for k, _, v in named),
        *({"DiscreteResourceSpec": {"Kind": k, "Value": int(v)}} for k, _, v in discrete),
    ]


def _restart_policy(policy: Values | None) -> Values:
    if policy is None:
        return {}
    result = _filled(Condition=policy.get("condition"))
    for key, name in (("delay", "Delay"), ("window", "Window")):
        # "" is what a state holds where Swarm has no value: sending 0 would change the spec.
        if policy.get(key) != "":
            result[name] = _nanoseconds(policy.get(key))
    return {**result, "MaxAttempts": policy.get("maxAttempts") or 0}


def _placement(placement: Values, block: Block) -> Values:
    platforms = [
        _filled(Architecture=p["architecture"], OS=p["os"])
        for p in _sorted_set(block, placement, "platforms")
    ]
    prefs = [
        {"Spread": {"SpreadDescriptor": pref}} for pref in _sorted_set(block, placement, "prefs")
    ]
    return _filled(
        Constraints=_sorted_set(block, placement, "constraints"),
        Preferences=prefs,
        MaxReplicas=placement.get("maxReplicas"),
        Platforms=platforms,
    )


def _network(network: Values) -> Values:
    pairs = (option.partition("=") for option in network.get("driverOpts") or [])
    return {
        "Target": network.get("id") or network.get("name", ""),
        **_filled(
            Aliases=in_hash_order(Attr(kind="set", plain_hash=True), network.get("aliases") or []),
            DriverOpts={key: value for key, equals, value in pairs if equals},
        ),
    }


def _log_driver(driver: Values | None) -> Values | None:
    if driver is None:
        return None
    return _filled(Name=driver["name"], Options=driver.get("options"))


def _mode(mode: Values) -> Values:
    result: Values = {}
    replicated = mode.get("replicated")
    if replicated is not None:
        result["Replicated"] = {"Replicas": replicated.get("replicas", 0)}
    if mode.get("global"):
        result["Global"] = {}
    return result


def _update_config(config: Values | None) -> Values | None:
    if config is None:
        return None
    return {
        "Parallelism": config.get("parallelism", 0),
        "MaxFailureRatio": float(config.get("maxFailureRatio") or 0),
        **_filled(
            Delay=_nanoseconds(config.get("delay")),
            FailureAction=config.get("failureAction"),
            Monitor=_nanoseconds(config.get("monitor")),
            Order=config.get("order"),
        ),
    }


def _endpoint(endpoint: Values) -> Values:
    ports = [
        _filled(
            Name=port.get("name"),
            Protocol=port.get("protocol"),
            TargetPort=port["targetPort"],
            PublishedPort=port.get("publishedPort"),
            PublishMode=port.get("publishMode"),
        )
        for port in endpoint.get("ports") or []
    ]
    return _filled(Mode=endpoint.get("mode"), Ports=ports)
