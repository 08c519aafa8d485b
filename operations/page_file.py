"""Writes the page of a lab: what runs is asked for, the rest has been seen already."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from components.remote.ssh import PhoneError

from . import page, running, status
from .errors import OperationError
from .labs import Lab
from .status import Sight


def write(file: Path, lab: Lab, sight: Sight) -> None:
    """Puts the page into ``file`` in one step, as a browser may be reading it just then.

    Raises:
        OperationError: there is no such folder, or it may not be written to.
    """
    answering = [
        host for host in lab.managers if not isinstance(sight.phones[host.name], PhoneError)
    ]
    text = page.html(
        page.Lab(
            name=lab.stack.name,
            phones=lab.configured.phones,
            sight=sight,
            running=running.running(answering),
            pages=lab.pages,
            notes=list(status.notes(lab.configured.phones, sight, lab.configured.registry_phone)),
            at=datetime.now().astimezone(),
        )
    )
    fresh = file.with_name(f".{file.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(file)
    except OSError as error:
        raise OperationError(f"{file} cannot be written: {error.strerror}") from None
