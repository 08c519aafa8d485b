"""The program: configuration → phones → swarm → stacks → outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pulumi
from pulumi.runtime import config as given

from components import interruption, lab_edge, outputs
from components.docker_host import provider
from components.phone import Phone
from components.registry import Registry, RegistryArgs
from components.roll_call import RollCall
from components.stack import Stack, StackArgs
from components.swarm import Member, Swarm, SwarmArgs

pulumi.require_pulumi_version(">=3.230.0 <4.0.0")
interruption.end_quietly()

values = {**given.get_config_env(), **given.CONFIG.get()}
lab = lab_edge.read(
    values,
    encrypted={key for key in values if given.is_config_secret(key)},
    project=pulumi.get_project(),
    root=Path.cwd(),
)
for warning in lab.warnings:
    pulumi.warn(warning)

roll_call = RollCall(
    "roll-call", hosts=[args.host for args in lab.phones.values()], password=lab.password
)
phones = {name: Phone(name, replace(args, after=(roll_call,))) for name, args in lab.phones.items()}
swarm = Swarm(
    "swarm",
    SwarmArgs(
        members={
            name: Member(
                phone=phone,
                role=lab.roles[name],
                labels=lab.labels[name],
                availability=lab.availability[name],
            )
            for name, phone in phones.items()
        },
        settings=lab.swarm,
    ),
)
registry = None
if lab.registry is not None:
    holder = phones[lab.registry.phone]
    registry = Registry(
        "registry",
        RegistryArgs(
            place=lab.registry,
            phone=holder.host,
            cache_mb=lab.cache_mb,
            upstream=lab.upstream,
        ),
        pulumi.ResourceOptions(depends_on=[holder]),
    )
docker_provider = provider("entry", access=swarm.access, after=swarm)
for name, spec in lab.stacks.items():
    Stack(
        name,
        StackArgs(
            spec=spec,
            swarm=swarm,
            docker_provider=docker_provider,
            secret_values=lab.secret_values,
            lock=lab.lock,
            registry=registry,
            contexts=lab.contexts.get(name, {}),
        ),
        pulumi.ResourceOptions(depends_on=[swarm]),
    )

pulumi.export("pages", outputs.pages(lab.stacks.values(), lab.entry_address))
pulumi.export("phones", {name: outputs.phone(phone) for name, phone in phones.items()})
pulumi.export("swarmId", swarm.access.swarm_id)
pulumi.export("workerJoinToken", swarm.worker_token)
pulumi.export("managerJoinToken", swarm.manager_token)
