"""One phone, from whatever it was to a Docker host that swarm can use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import remote

from . import wifi
from .condition import Condition, ConditionArgs
from .contact import Contact
from .docker_config import DockerConfig
from .facts import Facts
from .hooks import in_thread
from .remote import shell
from .remote.ssh import Host, read_banner
from .wifi import Static, WifiJoined, wifi_settings


@dataclass(frozen=True, kw_only=True)
class Wifi:
    """The network that the phone is to be on. ``password`` is secret."""

    ssid: str
    password: pulumi.Input[str]
    forget: tuple[str, ...] = ()
    static: Static | None = None


@dataclass(frozen=True, kw_only=True)
class PhoneArgs:
    """What a phone needs to be told.

    ``private_key`` is the text of the key at ``host.key_file`` (secret), or ``None`` where a
    preview runs on a machine without it. Nothing is done to the phone before ``after``.
    ``password`` (secret, may be empty) is used until the key is in. ``docker_config`` holds keys
    for ``daemon.json``; ``data_path_port`` is the swarm's for overlay networks; ``cleanup`` is what
    destroy takes away besides: images, volumes.
    """

    host: Host
    address: str
    password: pulumi.Input[str]
    private_key: pulumi.Input[str] | None
    docker_config: Mapping[str, Any]
    routing: str
    data_path_port: int = 4789
    wifi: Wifi | None = None
    cleanup: tuple[str, ...] = ()
    after: tuple[pulumi.Resource, ...] = ()


class Phone(pulumi.ComponentResource):
    """Access, wifi, Docker and facts of one phone.

    Whatever depends on the component as a whole starts when the phone is ready for swarm.
    """

    host: pulumi.Output[dict[str, Any]]
    """The properties of :class:`Host`, host key included: how our providers reach the phone."""
    address: pulumi.Output[str]
    facts: pulumi.Output[dict[str, str]]

    def __init__(
        self, name: str, args: PhoneArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudlet:index:Phone", name, None, opts)
        self.name = name
        self._args = args
        # The official command plugin waits for ever on a phone that accepts and stays silent.
        self._answers = pulumi.ResourceHook(f"{name}-answers", self._check_answers)

        contact = Contact(
            f"{name}-contact",
            host=args.host,
            password=args.password,
            cleanup=args.cleanup,
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*args.after], additional_secret_outputs=["password"]
            ),
        )
        self._host_key = contact.host_key
        self.host = contact.host_key.apply(lambda key: args.host.with_host_key(key).to_inputs())

        # One after the other: a Docker that is restarted must not lose its network meanwhile.
        online = contact if args.wifi is None else self._wifi(args.wifi, contact)
        config = DockerConfig(
            f"{name}-docker-config",
            phone=self.host,
            keys=dict(args.docker_config),
            found=contact.found["daemon_json"],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[online]),
        )
        ready: list[pulumi.Resource] = [config]
        engine = self._command("engine", "engine.sh", [args.host.user], root=True, depends_on=ready)
        place = [args.host.name, args.address, str(args.data_path_port)]
        network = self._command("network", "network.sh", place, root=True, depends_on=ready)
        preflight = self._command(
            "preflight", "preflight.sh", [args.routing], root=True, depends_on=[engine]
        )
        facts = Facts(
            f"{name}-facts",
            phone=self.host,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[engine]),
        )
        self._condition([network, preflight, facts])
        self.facts = facts.facts
        self.address = pulumi.Output.from_input(args.address)
        self.register_outputs({"address": self.address, "facts": self.facts})

    def _wifi(self, wanted: Wifi, contact: Contact) -> WifiJoined:
        settings = wifi_settings(wanted.ssid, wanted.forget, wanted.static)
        text = pulumi.Output.secret(wanted.password).apply(wifi.order_text)
        ordered = self._command("wifi", text, wifi.order(settings), root=True, depends_on=[contact])
        return WifiJoined(
            f"{self.name}-wifi-joined",
            phone=self.host,
            ssid=wanted.ssid,
            password=wanted.password,
            forget=wanted.forget,
            static=wanted.static,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[ordered]),
        )

    def _condition(self, steps: list[pulumi.Resource]) -> Condition:
        args = self._args
        return Condition(
            f"{self.name}-condition",
            ConditionArgs(
                phone=self.host,
                address=args.address,
                data_path_port=args.data_path_port,
                daemon=args.docker_config,
                password=args.password,
                wifi=args.wifi
                and wifi_settings(args.wifi.ssid, args.wifi.forget, args.wifi.static),
                wifi_password=args.wifi.password if args.wifi else "",
            ),
            pulumi.ResourceOptions(parent=self, depends_on=steps),
        )

    def _command(
        self,
        noun: str,
        script: str | pulumi.Output[str],
        arguments: list[str],
        *,
        root: bool,
        depends_on: list[pulumi.Resource],
    ) -> remote.Command:
        """A script on the phone; ``script`` is its file, or the whole text where it is secret."""
        args = self._args
        return remote.Command(
            f"{self.name}-{noun}",
            connection=remote.ConnectionArgs(
                host=args.host.host,
                port=args.host.port,
                user=args.host.user,
                private_key=args.private_key or "",
                host_key=self._host_key,
                # sshd drops some of many handshakes at once: fewer than three tries is too few.
                dial_error_limit=4,
                per_dial_timeout=10,
            ),
            create=shell.command(*arguments, root=root),
            stdin=shell.script(script) if isinstance(script, str) else script,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=depends_on,
                hooks=pulumi.ResourceHookBinding(
                    before_create=[self._answers], before_update=[self._answers]
                ),
                # A preview without the key must not plan to take it away.
                ignore_changes=None if args.private_key else ["connection.privateKey"],
            ),
        )

    async def _check_answers(self, _args: pulumi.ResourceHookArgs) -> None:
        await in_thread(read_banner, self._args.host)
