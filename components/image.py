"""Which build of an image a tag means now, recorded, so that the next `up` means the same.

The official docker provider plans a change, and restarts every task, when it is given a tag
without a digest (``facts/experiments.md`` §2): services are given what this resource resolved.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from .dynamic import Provider, tell
from .engine_api import Engine, EngineError
from .managers import Access, manager_of
from .ssh import PhoneError


class ImageProvider(Provider):
    """Inputs ``image``, ``managers``, ``swarm_id``. Output ``reference``: with its digest.

    An image that nobody has is an error here, before a service is touched.
    """

    updates = ("image",)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["image"], {**props, "reference": _resolve(props)})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_news, "reference": _resolve(_news)})


class Image(Resource, module="cloudlet", name="Image"):
    """``reference``: ``name:tag@sha256:…``, or the name alone where it was loaded by hand."""

    reference: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        image: pulumi.Input[str],
        access: Access,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            ImageProvider(),
            name,
            {"image": image, **access.to_inputs(), "reference": None},
            opts,
        )


def familiar(image: str) -> str:
    """The name as Docker itself writes it, with a tag unless it has a digest.

    Docker drops its own registry from a name that it stores, and the official provider then plans
    a change of the name for ever.
    """
    name = image
    for prefix in ("index.docker.io/", "docker.io/"):
        name = name.removeprefix(prefix)
    # Only Docker Hub's official images are in "library"; on another registry it is a name.
    if name.count("/") == 1:
        name = name.removeprefix("library/")
    tagged = "@" in name or ":" in name.rpartition("/")[2]
    return name if tagged else f"{name}:latest"


def _resolve(props: dict[str, Any]) -> str:
    tagged = familiar(props["image"])
    if "@" in tagged:
        return tagged
    with manager_of(props) as manager:
        try:
            digest = manager.get(f"/distribution/{tagged}/json")["Descriptor"]["digest"]
        except EngineError as error:
            if not _is_loaded(manager, tagged):
                raise PhoneError(
                    f"image {tagged}: no registry that {manager.phone} reaches has it "
                    f"({error.reason}), nor has the phone itself"
                ) from None
            tell(f"{tagged}: {error.reason}; using what was loaded onto the phones")
            return tagged
    return f"{tagged}@{digest}"


def _is_loaded(manager: Engine, image: str) -> bool:
    try:
        manager.get(f"/images/{image}/json")
    except EngineError:
        return False
    return True
