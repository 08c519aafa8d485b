"""The configuration as it is written: one model per map of the YAML, camelCase there.

Every description is shown to people: in the editor (JSON Schema) and where a key is missing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from . import addresses, fields

Role = Literal["manager", "worker"]
Availability = Literal["active", "pause", "drain"]
Routing = Literal["mesh", "host"]
Cleanup = Literal["images", "volumes"]


class _Written(BaseModel):
    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        # A secret must not stand in the text of an error, whoever prints it.
        hide_input_in_errors=True,
    )


class PhoneSsh(_Written):
    """Where this machine reaches the phone's SSH server, if not at its address."""

    host: addresses.Host = Field(description="the host or address, for example 127.0.0.1")
    port: addresses.PortNumber = Field(default=22, description="the port")


class WrittenPhone(_Written):
    """One entry of ``phones``."""

    address: addresses.PhoneAddress = Field(
        description="the phone's IPv4 address on the lab's network, for example 192.168.8.12"
    )
    role: Role = Field(default="worker", description="the phone's part in the swarm")
    host_key: fields.HostKey | None = Field(
        default=None,
        description="the phone's SSH host key, ssh-ed25519 AAAA…; "
        "without it the first contact records the key",
    )
    labels: dict[fields.Label, fields.LabelValue] = Field(
        default_factory=dict[str, str],
        description="the node's labels, for placement constraints (node.labels.NAME == VALUE)",
    )
    availability: Availability = Field(
        default="active",
        description="whether the phone takes services: active; pause, no new ones; drain, none",
    )
    ssh: PhoneSsh | None = Field(
        default=None, description="where SSH reaches the phone, if not at its address on port 22"
    )


class WrittenSsh(_Written):
    """``ssh``: the same login on every phone."""

    user: fields.User = Field(description="the user on every phone, for example cloudlet")
    private_key_file: fields.KeyFile = Field(
        description="the path of the private key, for example ~/.ssh/id_ed25519"
    )


class WrittenStatic(_Written):
    """``wifi.static``: what every phone's fixed IPv4 configuration has in common."""

    gateway: addresses.Address = Field(
        description="the access point's IPv4 address, for example 192.168.8.1"
    )
    prefix: Annotated[int, Field(ge=8, le=30)] = Field(
        default=24, description="the prefix length of the lab's network"
    )
    dns: list[addresses.Address] = Field(
        default_factory=list[str],
        description="the name servers' IPv4 addresses; without them, the gateway's",
    )


class WrittenWifi(_Written):
    """``wifi``; its password is a key of its own, so that it alone is encrypted."""

    ssid: fields.Ssid = Field(description="the name of the wifi network that the phones join")
    forget: list[fields.Ssid] = Field(
        default_factory=list[str], description="networks that the phones must not join again"
    )
    static: WrittenStatic | None = Field(
        default=None,
        description="gives each phone its address for good, as in {gateway: 192.168.8.1}; "
        "without it, the access point's DHCP does",
    )


class WrittenStack(_Written):
    """One entry of ``stacks``, which has either ``file`` or ``files``."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["file"]}, {"required": ["files"]}]}
    )

    file: fields.StackFile | None = Field(
        default=None,
        description="the compose file, seen from Pulumi.yaml, for example stacks/portainer.yml",
    )
    files: Annotated[list[fields.StackFile], Field(min_length=1)] | None = Field(
        default=None,
        description="instead of file, several compose files, each going over those before it as "
        "in docker stack deploy -c one.yml -c two.yml",
    )
    variables: dict[fields.Variable, fields.VariableValue] = Field(
        default_factory=dict[str, str], description="values of ${NAME} in the compose file"
    )


class Engine(_Written):
    """Docker on every phone. ``registry_mirror`` is a URL without a path; sizes as Docker's."""

    registry_mirror: fields.Mirror | None = Field(
        default=None, description="a mirror of Docker Hub, for example http://192.168.8.2:5000"
    )
    log_max_size: fields.LogSize = Field(
        default="5m", description="how large a container's log file may grow, for example 5m"
    )
    log_max_files: Annotated[int, Field(ge=1, le=100)] = Field(
        default=2, description="how many log files a container keeps"
    )


class WrittenRegistry(_Written):
    """``registry``: images that stacks build, and a cache of Docker Hub, on one of the phones."""

    phone: fields.PhoneName = Field(description="the phone that it is on, for example phone-1")
    port: addresses.RegistryPort = Field(
        default=5080,
        description="the first of the three ports that it takes there",
    )
    cache_size: fields.CacheSize = Field(
        default="4g",
        description="how much its cache of Docker Hub may hold, for example 4g",
    )


class Swarm(_Written):
    """What the swarm starts with. Durations are text as Docker takes it: ``8760h``, ``20s``."""

    address_pool: addresses.Network = Field(
        default="10.20.0.0/16", description="the network that overlay networks are cut from"
    )
    address_pool_mask: Annotated[int, Field(ge=8, le=29)] = Field(
        default=24, description="the prefix length of each overlay network"
    )
    certificate_expiry: fields.Expiry = Field(
        default="8760h", description="how long a node's certificate is valid, at least 1h"
    )
    heartbeat: fields.Heartbeat = Field(
        default="5s",
        description="how often a node tells that it is alive; more forgives wifi. A phone is "
        "missed after three; the managers' leader after six, once another one leads",
    )
    data_path_port: addresses.DataPathPort = Field(
        default=4789, description="the UDP port of the traffic between phones' containers"
    )


class Configuration(_Written):
    """Every key of a lab's configuration."""

    phones: dict[fields.PhoneName, WrittenPhone] = Field(description="the phones, by name")
    ssh: WrittenSsh = Field(
        description="how phones are logged into, as in {user: cloudlet, "
        "privateKeyFile: ~/.ssh/id_ed25519}"
    )
    password: fields.Secret | None = Field(
        default=None, description="the phones' first password (secret), used until the key is in"
    )
    wifi: WrittenWifi | None = Field(default=None, description="the wifi that the phones join")
    wifi_password: fields.WifiPassword | None = Field(
        default=None, description="the wifi's password (secret)"
    )
    stacks: dict[fields.StackName, WrittenStack] = Field(
        default_factory=dict[str, WrittenStack], description="the applications, by name"
    )
    lock: fields.LockFile | None = Field(
        default=None,
        description="the file in which `make lock` writes down which build of each image a tag "
        "means, for example stacks/lab.lock.yml; without it the first `up` decides",
    )
    secrets: dict[fields.Variable, fields.Secret] = Field(
        default_factory=dict[str, fields.Secret],
        description="secret values of ${NAME} in the compose files and of their secrets",
    )
    routing: Routing = Field(
        default="mesh",
        description="how published ports are reached: through Swarm's routing mesh, or on the "
        "entry phone alone (host) where a kernel lacks ip_vs",
    )
    entry_address: addresses.Address | None = Field(
        default=None,
        description="the IPv4 address where a browser reaches published ports; "
        "without it, the first manager's",
    )
    engine: Engine = Field(default_factory=Engine, description="Docker on every phone")
    registry: WrittenRegistry | None = Field(
        default=None,
        description="a registry on one of the phones, as in {phone: phone-1}: stacks may then say "
        "build, and an image of Docker Hub is fetched once for all phones",
    )
    swarm: Swarm = Field(default_factory=Swarm, description="what the swarm starts with")
    token_epoch: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="raise it to make both join tokens anew, so that the old ones let nobody in",
    )
    cleanup: list[Cleanup] = Field(
        default_factory=list[Cleanup],
        description="what destroy takes from the phones beyond what cloudlet set up",
    )


KEYS = tuple(field.alias or name for name, field in Configuration.model_fields.items())
# The program gets these as they stand; every other key arrives as JSON.
NUMBER_KEYS = frozenset({"tokenEpoch"})
TEXT_KEYS = frozenset({"password", "wifiPassword", "lock", "routing", "entryAddress"})
SECRET_KEYS = ("password", "wifiPassword", "secrets")
