"""``make lock``: which build each tag of a lab's stacks means today, written into its lock file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi

from components import compose, lab_edge
from components.config.lab import Lab
from components.images import image_lock, lab_images
from components.images.image_lock import Lock, Locked, LockError
from components.images.image_names import familiar

from .errors import OperationError
from .pulumi_cli import ROOT, PulumiStack
from .registry import resolve

# A registry's patience with one client.
AT_ONCE = 8
_SHORT = len("sha256:") + 12


def lock(stack: PulumiStack, lab: Lab, tell: Callable[[str], None]) -> None:
    """Asks the registries, no phone, and writes the file that ``cloudlet:lock`` names.

    Where it names none, it names one then: ``stacks/<lab>.lock.yml``.

    Raises:
        OperationError: nothing was written; one line for each thing that is wrong.
    """
    file = lab.lock or ROOT / "stacks" / f"{stack.name}.lock.yml"
    name = lab_edge.portable(file, ROOT)
    before = _read(file, name)
    images = {familiar(image) for image in _images(lab)}
    found = _resolved(sorted(image for image in images if "@" not in image), lab)
    try:
        file.write_text(image_lock.write(found), encoding="utf-8")
    except OSError as error:
        raise OperationError(f"{name}: cannot be written: {error.strerror}") from None
    for line in changes(before, found):
        tell(line)
    tell(f"wrote {name}: {len(found)} image{'s' * (len(found) != 1)}")
    if lab.lock is None:
        stack.set("cloudlet:lock", name)
        tell(f"wrote cloudlet:lock: {name} into {stack.file.name}")


def changes(before: Lock, after: Lock) -> Iterable[str]:
    """A line for each image whose tag means something else than before."""
    for image, locked in after.items():
        was = before.get(image)
        if was is None:
            yield f"{image}: {_short(locked)} for {', '.join(locked.platforms)}"
        elif was != locked:
            yield f"{image}: {_short(was)} → {_short(locked)} for {', '.join(locked.platforms)}"
    yield from (f"{image}: no stack has it any more" for image in before if image not in after)


def _short(locked: Locked) -> str:
    return locked.digest[:_SHORT]


def _images(lab: Lab) -> list[str]:
    try:
        stacks, _ = lab_edge.stacks(lab, ROOT)
    except (compose.ComposeError, pulumi.RunError) as error:
        raise OperationError(str(error)) from None
    return sorted(lab_images.pulled(stacks))


def _read(file: Path, name: str) -> Mapping[str, Locked]:
    """The file as it is; what cannot be read is written anew."""
    try:
        return image_lock.read(file.read_text(encoding="utf-8"), source=name)
    except (OSError, UnicodeDecodeError, LockError):
        return {}


def _resolved(images: list[str], lab: Lab) -> dict[str, Locked]:
    found: dict[str, Locked] = {}
    problems: list[str] = []

    def ask(image: str) -> None:
        try:
            found[image] = resolve(image, lab.engine.registry_mirror)
        except OperationError as error:
            problems.append(str(error))

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(ask, images))
    if problems:
        raise OperationError("\n".join(sorted(problems)))
    return {image: found[image] for image in images}
