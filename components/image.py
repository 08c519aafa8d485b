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
        image: str,
        access: Access,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            ImageProvider(),
            name,
            {"image": image, **access.to_inputs(), "reference": None},
            opts,
        )


def _resolve(props: dict[str, Any]) -> str:
    image: str = props["image"]
    if "@" in image:
        return image
    tagged = image if ":" in image.rpartition("/")[2] else f"{image}:latest"
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
