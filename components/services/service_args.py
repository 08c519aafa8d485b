"""A service of a compose file as arguments of ``docker.Service``, in the set that plans cleanly.

Every field that the official provider would otherwise send as zero is given in full, and every
duration in the form in which the provider reads it back (``facts/experiments.md`` §1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi
import pulumi_docker as docker

from components.compose import Attachment, FileReference, Mount, Service, UpdatePolicy, go_duration

T = TypeVar("T")
Conceal = Callable[[str], pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a service refers to: ids of networks, (id, name) of secrets and configs by their key
    in the file; ``conceal`` marks a text secret if it holds one of the lab's secrets."""

    stack: str
    networks: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, tuple[pulumi.Input[str], str]]
    configs: Mapping[str, tuple[pulumi.Input[str], str]]
    conceal: Conceal


def service_args(
    service: Service, image: pulumi.Input[str], replicas: pulumi.Input[int], around: Surroundings
) -> dict[str, Any]:
    """Keyword arguments for :class:`docker.Service`, without resource options.

    ``image`` and ``replicas`` are given in the place of the service's own.
    """
    return {
        "name": f"{around.stack}_{service.name}",
        "labels": _labels(service.labels, around.conceal),
        "mode": _mode(service, replicas),
        "endpoint_spec": _endpoint(service),
        "update_config": _policy(service.update, docker.ServiceUpdateConfigArgs),
        "rollback_config": _policy(service.rollback, docker.ServiceRollbackConfigArgs),
        "task_spec": docker.ServiceTaskSpecArgs(
            container_spec=_container(service, image, around),
            restart_policy=docker.ServiceTaskSpecRestartPolicyArgs(
                condition=service.restart.condition,
                delay=go_duration(service.restart.delay),
                max_attempts=service.restart.max_attempts,
                window=go_duration(service.restart.window),
            ),
            placement=_placement(service),
            resources=_resources(service),
            log_driver=docker.ServiceTaskSpecLogDriverArgs(
                name=service.logging.driver, options=_texts(service.logging.options, around)
            )
            if service.logging
            else None,
            networks_advanceds=[_network(item, around) for item in service.attachments],
        ),
    }


def _labels(labels: Mapping[str, str], conceal: Conceal) -> list[docker.ServiceLabelArgs]:
    return [
        docker.ServiceLabelArgs(label=key, value=conceal(labels[key])) for key in sorted(labels)
    ]


def _texts(values: Mapping[str, str], around: Surroundings) -> dict[str, pulumi.Input[str]]:
    """Any text of a compose file may hold a secret, an option of a driver as well as a variable."""
    return {key: around.conceal(value) for key, value in values.items()}


def _text(value: str | None, around: Surroundings) -> pulumi.Input[str] | None:
    return None if value is None else around.conceal(value)


def _mode(service: Service, replicas: pulumi.Input[int]) -> docker.ServiceModeArgs:
    if service.mode == "global":
        return docker.ServiceModeArgs(global_=True)
    return docker.ServiceModeArgs(replicated=docker.ServiceModeReplicatedArgs(replicas=replicas))


def _endpoint(service: Service) -> docker.ServiceEndpointSpecArgs | None:
    if service.endpoint_mode is None and not service.ports:
        return None
    return docker.ServiceEndpointSpecArgs(
        mode=service.endpoint_mode,
        ports=[
            docker.ServiceEndpointSpecPortArgs(
                target_port=port.target,
                published_port=port.published,
                protocol=port.protocol,
                publish_mode=port.mode,
            )
            for port in service.ports
        ],
    )


def _policy(policy: UpdatePolicy, made: Callable[..., T]) -> T:
    return made(
        parallelism=policy.parallelism,
        delay=go_duration(policy.delay),
        failure_action=policy.failure_action or "pause",
        monitor=go_duration(policy.monitor),
        max_failure_ratio=f"{policy.max_failure_ratio:g}",
        order=policy.order,
    )


def _container(
    service: Service, image: pulumi.Input[str], around: Surroundings
) -> docker.ServiceTaskSpecContainerSpecArgs:
    labels = service.container_labels
    return docker.ServiceTaskSpecContainerSpecArgs(
        image=image,
        commands=[around.conceal(item) for item in service.entrypoint] or None,
        args=[around.conceal(item) for item in service.command] or None,
        env=_texts(service.environment, around) or None,
        labels=[
            docker.ServiceTaskSpecContainerSpecLabelArgs(
                label=key, value=around.conceal(labels[key])
            )
            for key in sorted(labels)
        ],
        hostname=_text(service.hostname, around),
        user=_text(service.user, around),
        dir=_text(service.working_dir, around),
        stop_signal=service.stop_signal,
        stop_grace_period=go_duration(service.stop_grace_period),
        init=service.init,
        read_only=service.read_only or None,
        cap_adds=list(service.cap_add) or None,
        cap_drops=list(service.cap_drop) or None,
        sysctl=_texts(service.sysctls, around) or None,
        dns_config=docker.ServiceTaskSpecContainerSpecDnsConfigArgs(
            nameservers=list(service.dns),
            searches=list(service.dns_search) or None,
            options=list(service.dns_options) or None,
        )
        if service.dns
        else None,
        hosts=[
            docker.ServiceTaskSpecContainerSpecHostArgs(host=host, ip=ip)
            for host, ip in service.extra_hosts
        ]
        or None,
        isolation=service.isolation,
        healthcheck=_healthcheck(service, around),
        mounts=[_mount(item, around) for item in service.mounts] or None,
        secrets=[_secret(item, around) for item in service.secrets] or None,
        configs=[_config(item, around) for item in service.configs] or None,
    )


def _healthcheck(
    service: Service, around: Surroundings
) -> docker.ServiceTaskSpecContainerSpecHealthcheckArgs | None:
    check = service.healthcheck
    if check is None:
        return None
    return docker.ServiceTaskSpecContainerSpecHealthcheckArgs(
        tests=[around.conceal(item) for item in check.test],
        interval=go_duration(check.interval or 0),
        timeout=go_duration(check.timeout or 0),
        start_period=go_duration(check.start_period or 0),
        retries=check.retries or 0,
    )


def _mount(mount: Mount, around: Surroundings) -> docker.ServiceTaskSpecContainerSpecMountArgs:
    volume = bind = tmpfs = None
    if mount.type == "volume" and (
        mount.volume_driver or mount.volume_labels or mount.volume_no_copy
    ):
        volume = docker.ServiceTaskSpecContainerSpecMountVolumeOptionsArgs(
            driver_name=mount.volume_driver,
            driver_options=_texts(mount.volume_driver_options, around) or None,
            no_copy=mount.volume_no_copy or None,
            labels=[
                docker.ServiceTaskSpecContainerSpecMountVolumeOptionsLabelArgs(
                    label=key, value=around.conceal(value)
                )
                for key, value in sorted(mount.volume_labels.items())
            ],
        )
    if mount.propagation is not None:
        bind = docker.ServiceTaskSpecContainerSpecMountBindOptionsArgs(
            propagation=mount.propagation
        )
    if mount.type == "tmpfs" and (mount.tmpfs_size is not None or mount.tmpfs_mode is not None):
        tmpfs = docker.ServiceTaskSpecContainerSpecMountTmpfsOptionsArgs(
            size_bytes=mount.tmpfs_size, mode=mount.tmpfs_mode
        )
    return docker.ServiceTaskSpecContainerSpecMountArgs(
        type=mount.type,
        source=mount.source or None,
        target=mount.target,
        read_only=mount.read_only or None,
        volume_options=volume,
        bind_options=bind,
        tmpfs_options=tmpfs,
    )


def _secret(
    item: FileReference, around: Surroundings
) -> docker.ServiceTaskSpecContainerSpecSecretArgs:
    made_id, made_name = around.secrets[item.source]
    return docker.ServiceTaskSpecContainerSpecSecretArgs(
        secret_id=made_id, secret_name=made_name, **_file(item)
    )


def _config(
    item: FileReference, around: Surroundings
) -> docker.ServiceTaskSpecContainerSpecConfigArgs:
    made_id, made_name = around.configs[item.source]
    return docker.ServiceTaskSpecContainerSpecConfigArgs(
        config_id=made_id, config_name=made_name, **_file(item)
    )


def _file(item: FileReference) -> dict[str, Any]:
    return {
        "file_name": item.target,
        "file_uid": item.uid,
        "file_gid": item.gid,
        "file_mode": item.mode,
    }


def _placement(service: Service) -> docker.ServiceTaskSpecPlacementArgs:
    """Given even where it is empty: the provider takes a block that went missing for unchanged."""
    placement = service.placement
    return docker.ServiceTaskSpecPlacementArgs(
        constraints=list(placement.constraints),
        prefs=list(placement.spread),
        max_replicas=placement.max_replicas_per_node,
    )


def _resources(service: Service) -> docker.ServiceTaskSpecResourcesArgs | None:
    given = service.resources
    limits = reservation = None
    if given.limit_nano_cpus or given.limit_memory:
        limits = docker.ServiceTaskSpecResourcesLimitsArgs(
            nano_cpus=given.limit_nano_cpus, memory_bytes=given.limit_memory
        )
    if given.reserve_nano_cpus or given.reserve_memory or given.reserve_generic:
        generic = docker.ServiceTaskSpecResourcesReservationGenericResourcesArgs(
            discrete_resources_specs=list(given.reserve_generic)
        )
        reservation = docker.ServiceTaskSpecResourcesReservationArgs(
            nano_cpus=given.reserve_nano_cpus,
            memory_bytes=given.reserve_memory,
            generic_resources=generic if given.reserve_generic else None,
        )
    if limits is None and reservation is None:
        return None
    return docker.ServiceTaskSpecResourcesArgs(limits=limits, reservation=reservation)


def _network(item: Attachment, around: Surroundings) -> docker.ServiceTaskSpecNetworksAdvancedArgs:
    options = item.driver_options
    return docker.ServiceTaskSpecNetworksAdvancedArgs(
        id=around.networks[item.network],
        aliases=list(item.aliases),
        driver_opts=[around.conceal(f"{key}={options[key]}") for key in sorted(options)] or None,
    )
