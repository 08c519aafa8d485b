"""What a compose file means to Swarm: typed, normalised, frozen values.

Durations are whole nanoseconds and sizes whole bytes, as the Docker API has them. ``None`` means
"the file is silent", so that the reader of a value can leave Swarm's own default in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["replicated", "global"]


@dataclass(frozen=True, kw_only=True)
class Healthcheck:
    """``test`` is ``("NONE",)`` where the file disables the image's own check."""

    test: tuple[str, ...] = ()
    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None
    retries: int | None = None


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One volume, bind or tmpfs. ``source`` of a volume is its full name (``<stack>_<volume>``)."""

    type: Literal["volume", "bind", "tmpfs"]
    target: str
    source: str = ""
    read_only: bool = False
    propagation: str | None = None
    volume_driver: str | None = None
    volume_driver_options: Mapping[str, str] = field(default_factory=dict[str, str])
    volume_labels: Mapping[str, str] = field(default_factory=dict[str, str])
    volume_no_copy: bool = False
    tmpfs_size: int | None = None
    tmpfs_mode: int | None = None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A service's place on a network; ``network`` is a key of :attr:`StackSpec.networks`."""

    network: str
    aliases: tuple[str, ...] = ()
    driver_options: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Port:
    """``published`` is ``None`` where Swarm is to choose the number."""

    target: int
    published: int | None = None
    protocol: Literal["tcp", "udp", "sctp"] = "tcp"
    mode: Literal["ingress", "host"] = "ingress"


@dataclass(frozen=True, kw_only=True)
class FileReference:
    """A secret or config as one service sees it; ``source`` is a key of the stack's own map."""

    source: str
    target: str
    uid: str = "0"
    gid: str = "0"
    mode: int = 0o444


@dataclass(frozen=True, kw_only=True)
class UpdatePolicy:
    """``update_config`` or ``rollback_config``, filled in as Swarm would.

    ``failure_action`` is ``None`` where the file is silent, which to Swarm means pause.
    """

    parallelism: int = 1
    delay: int = 0
    failure_action: str | None = None
    monitor: int = 5_000_000_000
    max_failure_ratio: float = 0.0
    order: Literal["stop-first", "start-first"] = "stop-first"


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """Swarm's own defaults, spelt out: the docker provider sends zeros for what is left out."""

    condition: Literal["none", "on-failure", "any"] = "any"
    delay: int = 5_000_000_000
    max_attempts: int = 0
    window: int = 0


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Limits and reservations; CPUs in billionths (``0.5`` is 500_000_000), memory in bytes.

    ``reserve_generic`` holds counted resources of a node as ``KIND=NUMBER``.
    """

    limit_nano_cpus: int | None = None
    limit_memory: int | None = None
    reserve_nano_cpus: int | None = None
    reserve_memory: int | None = None
    reserve_generic: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Placement:
    """``spread`` are the node properties to spread over; 0 replicas on a node means any number."""

    constraints: tuple[str, ...] = ()
    spread: tuple[str, ...] = ()
    max_replicas_per_node: int = 0


@dataclass(frozen=True, kw_only=True)
class Logging:
    """``driver`` is Docker's own default, json-file, where the file names only options."""

    driver: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Content:
    """A secret or a config. ``data`` is its plain content (``None`` where external).

    ``name`` is the name the file gives, without any content hash; ``pinned_name`` says that the
    file set it with ``name:`` and nothing may be added to it.
    """

    name: str
    external: bool = False
    data: bytes | None = field(default=None, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    pinned_name: bool = False


@dataclass(frozen=True, kw_only=True)
class Build:
    """What an image is built from.

    ``context`` is a folder, seen from the first compose file; ``dockerfile`` a file, seen from the
    context. ``args`` may hold secrets; ``secrets`` are those that a ``RUN`` sees as files, by id.
    ``platforms`` is empty where the phones are to decide.
    """

    context: str
    dockerfile: str = "Dockerfile"
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: Mapping[str, Content] = field(default_factory=dict[str, Content])
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service. ``name`` is the key in the file; Swarm's name is ``<stack>_<name>``.

    ``environment`` and ``command`` may hold secrets that variables put in; they are plain here.
    ``entrypoint`` and ``command`` are Docker's ``Command`` and ``Args``. ``labels`` are the
    service's (``deploy.labels``), ``container_labels`` the containers'. Both already carry
    ``com.docker.stack.namespace``, as ``docker stack deploy`` puts it there.

    With ``build``, ``image`` is but a name: what is deployed is what was built.
    """

    name: str
    image: str
    build: Build | None = None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    container_labels: Mapping[str, str] = field(default_factory=dict[str, str])
    hostname: str | None = None
    user: str | None = None
    working_dir: str | None = None
    stop_signal: str | None = None
    stop_grace_period: int = 10_000_000_000
    init: bool | None = None
    read_only: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict[str, str])
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[tuple[str, str], ...] = ()
    isolation: str | None = None
    healthcheck: Healthcheck | None = None
    mounts: tuple[Mount, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    ports: tuple[Port, ...] = ()
    secrets: tuple[FileReference, ...] = ()
    configs: tuple[FileReference, ...] = ()
    mode: Mode = "replicated"
    replicas: int = 1
    update: UpdatePolicy = UpdatePolicy()
    rollback: UpdatePolicy = UpdatePolicy()
    restart: RestartPolicy = RestartPolicy()
    resources: Resources = Resources()
    placement: Placement = Placement()
    endpoint_mode: Literal["vip", "dnsrr"] | None = None
    logging: Logging | None = None
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Network:
    """``name`` is Swarm's name. An external network is looked up and never made or removed."""

    name: str
    external: bool = False
    driver: str = "overlay"
    attachable: bool = False
    internal: bool = False
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    subnets: tuple[str, ...] = ()
    ipam_driver: str | None = None


@dataclass(frozen=True, kw_only=True)
class StackSpec:
    """A whole compose file. ``networks`` holds those that a service uses, as Swarm makes no others.

    ``warnings`` are sentences for a person: the first names all keys that Swarm ignores, each
    further one a thing that turns out differently than the file says.
    """

    name: str
    services: Mapping[str, Service]
    networks: Mapping[str, Network] = field(default_factory=dict[str, Network])
    secrets: Mapping[str, Content] = field(default_factory=dict[str, Content])
    configs: Mapping[str, Content] = field(default_factory=dict[str, Content])
    warnings: tuple[str, ...] = ()
