"""The edge of the program: what Pulumi and the disk hold becomes checked arguments, or one error.

Everything that can be wrong with a lab's configuration or its compose files is found here, all at
once, before anything is touched.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pydantic import SecretStr

from . import compose, config
from .compose import StackSpec
from .compose.units import parse_duration
from .images import build_secrets, image_lock, lab_images
from .images.build_context import Context
from .images.image_lock import Lock
from .images.lab_images import registry_place
from .images.registry_place import RegistryPlace
from .paths import portable
from .phone import PhoneArgs, Wifi
from .phones import daemon_json
from .remote.ssh import Host, PhoneError, load_key
from .services import placement
from .services.reserved import Reserved
from .services.routing import impossible, routed
from .swarm_init import SwarmSettings
from .wifi import Static


@dataclass(frozen=True, kw_only=True)
class LabArgs:
    """Arguments for every component, each phone's map keyed by the phone's name.

    ``stacks`` are as the lab's routing makes them. ``contexts`` has what their services are built
    from, by stack and service; paths in it start at the folder of ``Pulumi.yaml``. ``upstream`` is
    what the registry's cache is one of, if not Docker Hub. ``secret_values`` holds the lab's
    secrets in plain: never print one.
    """

    phones: Mapping[str, PhoneArgs]
    password: pulumi.Output[str]
    roles: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]
    availability: Mapping[str, str]
    swarm: SwarmSettings
    stacks: Mapping[str, StackSpec]
    contexts: Mapping[str, Mapping[str, Context]]
    registry: RegistryPlace | None
    cache_mb: int
    upstream: str | None
    lock: Lock
    entry_address: str
    secret_values: frozenset[str]
    warnings: tuple[str, ...]


def read(
    values: Mapping[str, str], *, encrypted: Container[str], project: str, root: Path
) -> LabArgs:
    """The lab that Pulumi's configuration describes.

    Args:
        values: every key of the stack's configuration, with its namespace.
        encrypted: those of the keys that Pulumi holds as secrets.
        project: the namespace that is ours.
        root: the folder of ``Pulumi.yaml``, from which files are named.

    Raises:
        pulumi.RunError: with one line for each mistake; Pulumi shows it without a traceback.
    """
    try:
        lab = _lab(values, encrypted=encrypted, project=project, root=root)
        specs, warnings = stacks(lab, root)
        contexts = lab_images.contexts(lab, specs, root)
        lock, unlocked = _lock(lab, specs, root)
    except (config.ConfigError, compose.ComposeError, image_lock.LockError) as error:
        raise pulumi.RunError(str(error)) from None
    return LabArgs(
        phones=_phones(lab, root),
        password=_password(lab),
        roles={name: phone.role for name, phone in lab.phones.items()},
        labels={name: dict(phone.labels) for name, phone in lab.phones.items()},
        availability={name: phone.availability for name, phone in lab.phones.items()},
        swarm=SwarmSettings(
            address_pool=lab.swarm.address_pool,
            address_pool_mask=lab.swarm.address_pool_mask,
            certificate_expiry=parse_duration(lab.swarm.certificate_expiry),
            heartbeat=parse_duration(lab.swarm.heartbeat),
            data_path_port=lab.swarm.data_path_port,
            token_epoch=lab.token_epoch,
        ),
        stacks=specs,
        contexts=contexts,
        registry=registry_place(lab),
        cache_mb=lab.registry.cache_mb if lab.registry else 0,
        upstream=lab.engine.registry_mirror,
        lock=lock,
        entry_address=lab.entry_address,
        secret_values=frozenset(secret.get_secret_value() for secret in lab.secrets.values()),
        warnings=(*lab.warnings, *warnings, *unlocked),
    )


def _lab(
    values: Mapping[str, str], *, encrypted: Container[str], project: str, root: Path
) -> config.Lab:
    ours = f"{project}:"
    own = [key for key in values if key.startswith(ours)]
    problems = config.strays(values, project)
    try:
        lab = config.load(
            {key.removeprefix(ours): values[key] for key in own},
            root=root,
            encrypted={key.removeprefix(ours) for key in own if key in encrypted},
        )
    except config.ConfigError as error:
        raise config.ConfigError([*problems, *error.problems]) from None
    if problems:
        raise config.ConfigError(problems)
    return lab


def _phones(lab: config.Lab, root: Path) -> dict[str, PhoneArgs]:
    key_file = lab.ssh.private_key_file
    private_key = None
    # A preview may run where the key is not; whatever else is wrong with it is wrong everywhere.
    if key_file.exists() or not pulumi.runtime.is_dry_run():
        try:
            load_key(str(key_file))
            private_key = pulumi.Output.secret(key_file.read_text(encoding="ascii"))
        except PhoneError as error:
            raise pulumi.RunError(str(error)) from None
    daemon = daemon_json.wanted(
        registry_mirror=lab.engine.registry_mirror,
        log_max_size=lab.engine.log_max_size,
        log_max_files=lab.engine.log_max_files,
        registry=registry_place(lab),
    )
    return {
        name: PhoneArgs(
            host=Host(
                name=name,
                host=phone.ssh_host,
                port=phone.ssh_port,
                user=lab.ssh.user,
                key_file=portable(key_file, root),
                host_key=phone.host_key or "",
            ),
            address=phone.address,
            password=_password(lab),
            private_key=private_key,
            docker_config=daemon,
            routing=lab.routing,
            wifi=_wifi(lab.wifi, phone.address),
            cleanup=tuple(sorted(lab.cleanup)),
        )
        for name, phone in lab.phones.items()
    }


def _wifi(wifi: config.Wifi | None, address: str) -> Wifi | None:
    if wifi is None:
        return None
    static = wifi.static and Static(
        address=address,
        prefix=wifi.static.prefix,
        gateway=wifi.static.gateway,
        dns=wifi.static.dns,
    )
    return Wifi(ssid=wifi.ssid, password=_secret(wifi.password), forget=wifi.forget, static=static)


def stacks(lab: config.Lab, root: Path) -> tuple[dict[str, StackSpec], list[str]]:
    """The lab's stacks, as its routing makes them, and a line for each thing to be warned of.

    Raises:
        ComposeError: with one line for each mistake in the compose files.
    """
    specs: dict[str, StackSpec] = {}
    problems: list[str] = []
    unused: list[str] = []
    secrets = {name: secret.get_secret_value() for name, secret in lab.secrets.items()}
    for name, stack in lab.stacks.items():
        variables = {"ENTRY_ADDRESS": lab.entry_address, **secrets, **stack.variables}
        # As docker stack deploy does, whichever of the files names another one.
        folder = stack.files[0].parent

        def beside(path: str, folder: Path = folder) -> bytes:
            return (folder / path).read_bytes()

        files = [
            compose.ComposeFile(source=portable(file, root), text=_text(file, root))
            for file in stack.files
        ]
        unused += compose.unused_variables(name, [file.text for file in files], stack.variables)
        try:
            specs[name] = compose.load_files(
                files,
                stack=name,
                variables=variables,
                read=beside,
                builds=lab.registry is not None,
            )
        except compose.ComposeError as error:
            problems += error.problems
    entry = lab.managers[0].name
    problems += compose.conflicts(specs)
    reserved = Reserved(
        addresses={name: phone.address for name, phone in lab.phones.items()},
        # Where this machine is led to a phone another way, its sshd is where sshd always is.
        ssh_ports={
            phone.ssh_port if phone.ssh_host == phone.address else 22
            for phone in lab.phones.values()
        },
        data_path_port=lab.swarm.data_path_port,
    )
    problems += reserved.taken_by_registry(lab_images.ports(lab))
    for spec in specs.values():
        problems += [*reserved.taken_by(spec), *impossible(spec, lab.routing, entry)]
        problems += lab_images.taken(lab, spec)
        problems += build_secrets.problems(spec, secrets.values())
    if problems:
        raise compose.ComposeError(tuple(problems))
    specs = {name: routed(spec, lab.routing, entry) for name, spec in specs.items()}
    nodes = [
        placement.Node(
            name=name, role=phone.role, labels=phone.labels, availability=phone.availability
        )
        for name, phone in lab.phones.items()
    ]
    return specs, [
        *unused,
        *(
            warning
            for spec in specs.values()
            for warning in (
                *spec.warnings,
                *build_secrets.warnings(spec, secrets.values()),
                *placement.warnings(spec, nodes),
            )
        ),
    ]


def _lock(lab: config.Lab, stacks: Mapping[str, StackSpec], root: Path) -> tuple[Lock, list[str]]:
    """The lab's lock, and a line about what of its stacks is not in it."""
    if lab.lock is None:
        return {}, []
    name = portable(lab.lock, root)
    lock = image_lock.read(_text(lab.lock, root), source=name) if lab.lock.exists() else {}
    images = lab_images.pulled(stacks)
    if missing := sorted(image_lock.missing(lock, images)):
        return lock, [
            f"lock: {name} does not have {', '.join(missing)}; `make lock` writes it anew"
        ]
    return lock, []


def _text(file: Path, root: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        what = "is not UTF-8 text; save it as UTF-8"
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    raise compose.ComposeError((f"{portable(file, root)}: {what}",))


def _password(lab: config.Lab) -> pulumi.Output[str]:
    return _secret(lab.password) if lab.password else pulumi.Output.secret("")


def _secret(value: SecretStr) -> pulumi.Output[str]:
    return pulumi.Output.secret(value.get_secret_value())
