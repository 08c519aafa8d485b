"""What each key of a service means to Swarm: read, ignored or refused.

The ignored and the refused keys are those of the Docker CLI (its "unsupported", "deprecated" and
"forbidden" properties), and further ones of the Compose specification. A key that Swarm has but
the docker provider cannot express is refused too, unless nothing breaks without it.
"""

from __future__ import annotations

SERVICE_KEYS = frozenset(
    {
        "build",
        "cap_add",
        "cap_drop",
        "command",
        "configs",
        "depends_on",
        "deploy",
        "dns",
        "dns_opt",
        "dns_search",
        "entrypoint",
        "env_file",
        "environment",
        "extra_hosts",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "isolation",
        "labels",
        "logging",
        "networks",
        "oom_score_adj",
        "ports",
        "read_only",
        "restart",
        "secrets",
        "stdin_open",
        "stop_grace_period",
        "stop_signal",
        "sysctls",
        "tty",
        "ulimits",
        "user",
        "volumes",
        "working_dir",
    }
)

# docker stack deploy does nothing with them, and a service runs without.
SERVICE_IGNORED = frozenset(
    {
        "annotations",
        "attach",
        "cgroup",
        "cgroup_parent",
        "cgroupns_mode",
        "container_name",
        "develop",
        "domainname",
        "expose",
        "external_links",
        "ipc",
        "links",
        "mac_address",
        "network_mode",
        "pid",
        "privileged",
        "pull_policy",
        "pull_refresh_after",
        "security_opt",
        "shm_size",
        "tmpfs",
        "userns_mode",
    }
)

NO_SUCH_KEY = "docker stack deploy has no such key; remove it"
_CANNOT_SET = "Swarm services cannot set it; remove it"
_NO_HOOKS = "Swarm runs no hooks; remove it"
_LIMITS = "Swarm has it elsewhere; write deploy.resources.limits"

SERVICE_REFUSED = {
    "blkio_config": _CANNOT_SET,
    "cpu_count": _LIMITS,
    "cpu_percent": _LIMITS,
    "cpu_period": _LIMITS,
    "cpu_quota": _LIMITS,
    "cpu_rt_period": _CANNOT_SET,
    "cpu_rt_runtime": _CANNOT_SET,
    "cpu_shares": _LIMITS,
    "cpus": f"{_LIMITS}.cpus",
    "cpuset": _LIMITS,
    "credential_spec": "is for Windows, which no phone runs; remove it",
    "devices": "Swarm gives no devices to a container; remove it, or bind-mount what it needs",
    "device_cgroup_rules": "Swarm gives no devices to a container; remove it",
    "extends": "Swarm's files cannot extend others; write the service out, or use a YAML anchor",
    "gpus": "Swarm gives no devices to a container; remove it",
    "group_add": "docker stack deploy has no such key; write the group into user, as in 1000:1000",
    "label_file": "docker stack deploy has no such key; write the labels under labels",
    "mem_limit": f"{_LIMITS}.memory",
    "mem_reservation": "Swarm has it elsewhere; write deploy.resources.reservations.memory",
    "mem_swappiness": _CANNOT_SET,
    "memswap_limit": f"{_LIMITS}.memory",
    "models": "Swarm runs containers only; remove it",
    "oom_kill_disable": _CANNOT_SET,
    "pids_limit": "cannot be set through the docker provider; remove it",
    "platform": "Swarm picks nodes by constraint; write deploy.placement.constraints: "
    "[node.platform.arch == …]",
    "profiles": "Swarm runs every service of a file; remove it, or move the service to another "
    "stack",
    "provider": "Swarm runs containers only; remove the service",
    "post_start": _NO_HOOKS,
    "pre_start": _NO_HOOKS,
    "pre_stop": _NO_HOOKS,
    "runtime": _CANNOT_SET,
    "scale": "Swarm has it elsewhere; write deploy.replicas",
    "storage_opt": _CANNOT_SET,
    "uts": _CANNOT_SET,
    "umask": "docker stack deploy has no such key; set it in the image's entrypoint",
    "use_api_socket": "Swarm has no such thing; remove it, or bind-mount /var/run/docker.sock",
    "volume_driver": "belongs to the volume; write volumes.<name>.driver at the top level",
    "volumes_from": "Swarm shares volumes by name; write the volume at the top level and under "
    "each service that uses it",
}

TOP_KEYS = frozenset({"version", "services", "networks", "volumes", "secrets", "configs"})
TOP_IGNORED = frozenset({"name"})
TOP_REFUSED = {
    "include": "Swarm's files cannot include others; write the services out",
    "jobs": "Swarm's files have no jobs; write a service with restart_policy.condition: none",
    "models": "Swarm runs containers only; remove it",
}
