"""Public images, where a registry can be reached."""

from __future__ import annotations

import subprocess
import threading

from lab.docker import Docker
from lab.images.naming import pulled_tag
from lab.system import Log

# A reachable registry names what it will send well within this; an unreachable one can take minutes
# to be given up by Docker.
_ANSWER_SECONDS = 6
_PULL_SECONDS = 900


def pull(docker: Docker, reference: str, log: Log) -> str | None:
    """The local tag of the public image, or None where it can't be had soon."""
    was_there = docker.has_image(reference)
    if not was_there and not _pull(docker, reference, log):
        return None
    tag = pulled_tag(reference)
    docker.run("tag", reference, tag)
    if not was_there:
        docker.run("rmi", reference)
    return tag


def _pull(docker: Docker, reference: str, log: Log) -> bool:
    with subprocess.Popen(
        [*docker.command, "pull", reference],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        timer = threading.Timer(_ANSWER_SECONDS, process.kill)
        timer.start()
        for line in process.stdout:
            if "Pulling from" in line:
                timer.cancel()
                log(f"{reference}: pulling the public image")
                timer = threading.Timer(_PULL_SECONDS, process.kill)
                timer.start()
        timer.cancel()
        return process.wait() == 0
