"""The state of a service from the Engine's description of it. Pure, the inverse of the spec."""

from __future__ import annotations

from typing import Any

from . import durations
from .hashing import in_state_order
from .schema import Attr
from .schema_service import SERVICE
from .state import found

Values = dict[str, Any]


def service_state(service: Values) -> Values:
    """All properties and the id, as upstream reads them from an inspected service."""
    spec = service["Spec"]
    return {
        "id": service["ID"],
        "name": spec["Name"],
        "labels": _labels(spec.get("Labels")),
        "taskSpec": _found("taskSpec", _task(spec["TaskTemplate"])),
        "mode": _found("mode", _mode(spec.get("Mode") or {})),
        "updateConfig": _found("updateConfig", _update_config(spec.get("UpdateConfig"))),
        "rollbackConfig": _found("rollbackConfig", _update_config(spec.get("RollbackConfig"))),
        "endpointSpec": _found("endpointSpec", _endpoint(service)),
    }


def endpoint_known(service: Values) -> bool:
    """Whether Swarm has decided how the service is reached, which takes it a moment."""
    endpoint = (service.get("Endpoint") or {}).get("Spec") or {}
    return bool(endpoint.get("Mode") or (service["Spec"].get("EndpointSpec") or {}).get("Mode"))


def _found(key: str, values: Values | None) -> Values | None:
    return None if values is None else found(SERVICE.attrs[key].block or {}, values)


def _labels(labels: dict[str, str] | None) -> list[Values]:
    items = [{"label": key, "value": value} for key, value in (labels or {}).items()]
    return in_state_order(SERVICE.attrs["labels"], items)


def _present(**fields: Any) -> Values:
    return {key: value for key, value in fields.items() if value}


def _duration(source: Values, name: str) -> str:
    return durations.show(source.get(name) or 0)


def _task(task: Values) -> Values:
    result: Values = {"forceUpdate": task.get("ForceUpdate", 0)}
    if (spec := task.get("ContainerSpec")) is not None:
        result["containerSpec"] = _container(spec)
    if (resources := task.get("Resources")) is not None:
        result["resources"] = _resources(resources)
    if (policy := task.get("RestartPolicy")) is not None:
        result["restartPolicy"] = _restart_policy(policy)
    if (placement := task.get("Placement")) is not None:
        result["placement"] = _placement(placement)
    if task.get("Runtime"):
        result["runtime"] = task["Runtime"]
    if task.get("Networks"):
        result["networksAdvanceds"] = [_network(network) for network in task["Networks"]]
    if (driver := task.get("LogDriver")) is not None:
        options = _present(options=driver.get("Options"))
        result["logDriver"] = {"name": driver.get("Name", ""), **options}
    return result


def _container(spec: Values) -> Values:
    result = _present(
        image=spec.get("Image"),
        labels=_labels(spec.get("Labels")),
        commands=spec.get("Command"),
        args=spec.get("Args"),
        hostname=spec.get("Hostname"),
        env=_env(spec.get("Env") or []),
        user=spec.get("User"),
        dir=spec.get("Dir"),
        groups=spec.get("Groups"),
        readOnly=spec.get("ReadOnly"),
        mounts=[_mount(mount) for mount in spec.get("Mounts") or []],
        stopSignal=spec.get("StopSignal"),
        hosts=[_host(line) for line in spec.get("Hosts") or []],
        secrets=[_file("Secret", "secret", s) for s in spec.get("Secrets") or []],
        configs=[_file("Config", "config", c) for c in spec.get("Configs") or []],
        isolation=spec.get("Isolation"),
        sysctl=spec.get("Sysctls"),
        capAdds=spec.get("CapabilityAdd"),
        capDrops=spec.get("CapabilityDrop"),
    )
    if (privileges := spec.get("Privileges")) is not None:
        result["privileges"] = _privileges(privileges)
    if spec.get("StopGracePeriod") is not None:
        result["stopGracePeriod"] = durations.show(spec["StopGracePeriod"])
    if (check := spec.get("Healthcheck")) is not None:
        result["healthcheck"] = _healthcheck(check)
    if (dns := spec.get("DNSConfig")) is not None:
        result["dnsConfig"] = _present(
            nameservers=dns.get("Nameservers"),
            searches=dns.get("Search"),
            options=dns.get("Options"),
        )
    if spec.get("Init") is not None:
        result["init"] = spec["Init"]
    return result


def _env(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if line)
    return {key: value for key, _, value in pairs}


def _host(line: str) -> Values:
    ip, _, rest = line.partition(" ")
    return {"ip": ip, "host": rest.split(" ")[0]}


def _privileges(privileges: Values) -> Values:
    result: Values = {}
    if (credentials := privileges.get("CredentialSpec")) is not None:
        result["credentialSpec"] = {
            "file": credentials.get("File", ""),
            "registry": credentials.get("Registry", ""),
        }
    if (selinux := privileges.get("SELinuxContext")) is not None:
        texts = {key: selinux.get(key.title(), "") for key in ("user", "role", "type", "level")}
        result["seLinuxContext"] = {"disable": bool(selinux.get("Disable")), **texts}
    return result


def _mount(mount: Values) -> Values:
    result: Values = {
        "target": mount.get("Target", ""),
        "source": mount.get("Source", ""),
        "type": mount.get("Type", ""),
        "readOnly": bool(mount.get("ReadOnly")),
    }
    if (bind := mount.get("BindOptions")) is not None:
        result["bindOptions"] = _present(propagation=bind.get("Propagation"))
    if (volume := mount.get("VolumeOptions")) is not None:
        options: Values = {
            "noCopy": bool(volume.get("NoCopy")),
            "labels": _labels(volume.get("Labels")),
        }
        if (driver := volume.get("DriverConfig")) is not None:
            options |= _present(driverName=driver.get("Name"))
            options["driverOptions"] = driver.get("Options") or {}
        result["volumeOptions"] = options
    if (tmpfs := mount.get("TmpfsOptions")) is not None:
        mode = tmpfs.get("Mode", 0) & 0o777
        result["tmpfsOptions"] = {"sizeBytes": tmpfs.get("SizeBytes", 0), "mode": mode}
    return result


def _file(kind: str, key: str, reference: Values) -> Values:
    result = {f"{key}Id": reference[f"{kind}ID"]}
    result |= _present(**{f"{key}Name": reference.get(f"{kind}Name")})
    if (target := reference.get("File")) is not None:
        result["fileName"] = target.get("Name", "")
        result |= _present(fileUid=target.get("UID"), fileGid=target.get("GID"))
        result["fileMode"] = target.get("Mode", 0)
    return result


def _healthcheck(check: Values) -> Values:
    return {
        **_present(tests=check.get("Test")),
        "interval": _duration(check, "Interval"),
        "timeout": _duration(check, "Timeout"),
        "startPeriod": _duration(check, "StartPeriod"),
        "retries": check.get("Retries", 0),
    }


def _resources(resources: Values) -> Values:
    result: Values = {}
    for name, key in (("Limits", "limits"), ("Reservations", "reservation")):
        found_here = resources.get(name)
        if found_here is not None:
            result[key] = {
                "nanoCpus": found_here.get("NanoCPUs", 0),
                "memoryBytes": found_here.get("MemoryBytes", 0),
            }
            if found_here.get("GenericResources"):
                result[key]["genericResources"] = _generic(found_here["GenericResources"])
    return result


def _generic(resources: list[Values]) -> Values:
    named = [r["NamedResourceSpec"] for r in resources if r.get("NamedResourceSpec")]
    discrete = [r["DiscreteResourceSpec"] for r in resources if r.get("DiscreteResourceSpec")]
    return {
        "namedResourcesSpecs": sorted(f"{r['Kind']}={r['Value']}" for r in named),
        "discreteResourcesSpecs": sorted(f"{r['Kind']}={r['Value']}" for r in discrete),
    }


def _restart_policy(policy: Values) -> Values:
    result = _present(condition=policy.get("Condition"))
    for name, key in (("Delay", "delay"), ("Window", "window")):
        if policy.get(name) is not None:
            result[key] = durations.show(policy[name])
    if policy.get("MaxAttempts") is not None:
        result["maxAttempts"] = policy["MaxAttempts"]
    return result


def _placement(placement: Values) -> Values:
    prefs = [pref["Spread"]["SpreadDescriptor"] for pref in placement.get("Preferences") or []]
    platforms = [
        {"architecture": p.get("Architecture", ""), "os": p.get("OS", "")}
        for p in placement.get("Platforms") or []
    ]
    return {
        **_present(
            constraints=sorted(placement.get("Constraints") or []),
            prefs=sorted(prefs),
            platforms=platforms,
        ),
        "maxReplicas": placement.get("MaxReplicas", 0),
    }


def _network(network: Values) -> Values:
    options = [f"{key}={value}" for key, value in (network.get("DriverOpts") or {}).items()]
    aliases = in_state_order(Attr(kind="set"), network.get("Aliases") or [])
    return {"id": network["Target"], "driverOpts": sorted(options), **_present(aliases=aliases)}


def _mode(mode: Values) -> Values:
    result: Values = {"global": mode.get("Global") is not None}
    if (replicated := mode.get("Replicated")) is not None:
        result["replicated"] = {"replicas": replicated.get("Replicas", 0)}
    return result


def _update_config(config: Values | None) -> Values | None:
    if config is None:
        return None
    return {
        "parallelism": config.get("Parallelism", 0),
        "delay": _duration(config, "Delay"),
        "failureAction": config.get("FailureAction", ""),
        "monitor": _duration(config, "Monitor"),
        "maxFailureRatio": f"{config.get('MaxFailureRatio') or 0:.1f}",
        "order": config.get("Order", ""),
    }


def _endpoint(service: Values) -> Values:
    endpoint = service.get("Endpoint") or {}
    mode = (endpoint.get("Spec") or {}).get("Mode")
    source = endpoint if mode else service["Spec"].get("EndpointSpec") or {}
    ports = [
        {
            "name": port.get("Name", ""),
            "protocol": port.get("Protocol", ""),
            "targetPort": port.get("TargetPort", 0),
            "publishedPort": port.get("PublishedPort", 0),
            "publishMode": port.get("PublishMode", ""),
        }
        for port in source.get("Ports") or []
    ]
    return {"mode": mode or source.get("Mode", ""), "ports": ports}
