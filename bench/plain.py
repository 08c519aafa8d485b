"""The shop as plain containers of this machine's Docker: what a swarm's figures are held against.

The same images with the same settings and memory limits as in ``stacks/go_coffee.yml``, on one
bridge network.
"""

from __future__ import annotations

import importlib
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.cluster import ROOT
from components import compose
from lab.docker import Docker
from load_test.shop import Shop, ask
from operations.errors import OperationError

NAME = "cloudlet-plain"
# A loopback address that no lab uses: theirs end in 1 to 252.
ADDRESS = "127.0.0.254"
READY_SECONDS = 120.0
# Of containers that live for minutes on this machine's loopback; they protect nothing.
PASSWORD = "plain"


@contextmanager
def shop(tell: Callable[[str], None]) -> Generator[Shop]:
    """The shop, up and answering; gone afterwards with all that it kept.

    Raises:
        RuntimeError: it does not come up.
    """
    images: dict[str, str] = importlib.import_module("lab.images").build(tell, Docker())
    file = ROOT / "stacks" / "go_coffee.yml"
    spec = compose.load(
        file.read_text(),
        source=file.name,
        stack="plain",
        variables={
            "ENTRY_ADDRESS": ADDRESS,
            "POSTGRES_PASSWORD": PASSWORD,
            "RABBITMQ_PASSWORD": PASSWORD,
        },
        read=lambda path: (file.parent / path).read_bytes(),
    )
    _gone()
    try:
        _docker("network", "create", NAME)
        for service in spec.services.values():
            _docker(*run_arguments(service, images[service.image]))
        made = Shop(
            api=f"http://{ADDRESS}:5000",
            broker=f"http://{ADDRESS}:15672",
            login=f"coffee:{PASSWORD}",
        )
        _await(made)
        yield made
    finally:
        _gone()


def run_arguments(service: compose.Service, image: str) -> list[str]:
    """``docker run`` for a service: what bears on its speed is as in the swarm."""
    options = [f"--env={name}={value}" for name, value in service.environment.items()]
    options += [f"--publish={ADDRESS}:{port.published}:{port.target}" for port in service.ports]
    if service.hostname:
        options.append(f"--hostname={service.hostname}")
    if service.resources.limit_memory:
        options.append(f"--memory={service.resources.limit_memory}")
    return [
        *("run", "--detach", f"--name={NAME}-{service.name}", f"--network={NAME}"),
        *(f"--network-alias={service.name}", "--restart=always", *options),
        *(f"--volume={mount.target}" for mount in service.mounts if mount.type == "volume"),
        image,
        *service.command,
    ]


def containers() -> Mapping[str, str]:
    """Ids of the plain containers, by their service's name."""
    listed = _docker("ps", "--all", f"--filter=name=^{NAME}-", "--format={{.ID}} {{.Names}}")
    pairs = (line.split() for line in listed.splitlines())
    return {name.removeprefix(f"{NAME}-"): key for key, name in pairs}


def _await(made: Shop) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with ask(f"{made.api}/v1/api/item-types"), ask(f"{made.api}/v1/fulfillment-orders"):
                made.depth()
                return
        except OperationError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the plain shop does not come up: {error}") from None
            time.sleep(1)


def _gone() -> None:
    there = list(containers().values())
    if there:
        _docker("rm", "--force", "--volumes", *there)
    if _docker("network", "ls", "--quiet", f"--filter=name=^{NAME}$"):
        _docker("network", "rm", NAME)


def _docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, cwd=Path("/"), check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"docker {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()
