"""Which build of an image a tag means now, recorded, so that the next `up` means the same.

The official docker provider plans a change, and restarts every task, when it is given a tag
without a digest (``facts/experiments.md`` §2): services are given what this resource resolved.
"""

from __future__ import annotations

import re
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from .dynamic import Provider, tell
from .images.architecture import is_described, named
from .images.image_names import familiar
from .members.managers import Access, manager_of
from .memo import once
from .remote.engine_api import Engine, EngineError
from .remote.ssh import PhoneError

# Services of one run that have the same image are told the same.
SAME_SECONDS = 60.0
# A registry's own words for a name or a tag that it does not have.
_UNKNOWN = re.compile(r"\b(manifest|name) unknown\b|\bmanifest .*not found")


class NowhereError(PhoneError):
    """Nobody has the image; the text goes on from where it is written."""


class ImageProvider(Provider):
    """Inputs ``image``, ``key`` (where it is written), ``managers``, ``swarm_id``. Outputs
    ``reference``: with its digest, and ``platforms``.

    An image that nobody has is an error here, before a service is touched.
    """

    updates = ("image",)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["image"], {**props, **_resolved(props)})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_news, **_resolved(_news)})


class Image(Resource, module="cloudlet", name="Image"):
    """``reference``: ``name:tag@sha256:…``, or the name alone where it was loaded by hand.
    ``platforms``: its builds, such as ``linux/arm/v7``; empty where they are not known."""

    reference: pulumi.Output[str]
    platforms: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        *,
        image: pulumi.Input[str],
        key: str,
        access: Access,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            ImageProvider(),
            name,
            {
                "image": image,
                "key": key,
                **access.to_inputs(),
                "reference": None,
                "platforms": None,
            },
            opts,
        )


def _resolved(props: dict[str, Any]) -> dict[str, Any]:
    tagged = familiar(props["image"])
    try:
        return once(("image", props["swarm_id"], tagged), lambda: _ask(props, tagged), SAME_SECONDS)
    except NowhereError as error:
        raise PhoneError(f"{props['key']}: {error}") from None


def _ask(props: dict[str, Any], tagged: str) -> dict[str, Any]:
    pinned = "@" in tagged
    with manager_of(props) as manager:
        try:
            answer = manager.get(f"/distribution/{tagged}/json")
        except EngineError as error:
            loaded = _loaded(manager, tagged)
            if not pinned and not loaded:
                raise NowhereError(_nowhere(tagged, manager.phone, error.reason)) from None
            if not pinned:
                tell(f"{tagged}: {_once(error.reason)}; using what was loaded onto the phones")
            return {"reference": tagged, "platforms": loaded}
    digest = answer["Descriptor"]["digest"]
    builds: list[dict[str, Any]] = answer.get("Platforms") or []
    return {
        "reference": tagged if pinned else f"{tagged}@{digest}",
        "platforms": [named(build) for build in builds if is_described(build)],
    }


def _nowhere(tagged: str, phone: str, reason: str) -> str:
    """That neither a registry nor the phone itself has the image, and what to do."""
    what = f"there is no {tagged}" if _UNKNOWN.search(reason) else f"{phone} cannot have {tagged}"
    return (
        f"{what} ({_once(reason)})\n"
        f"Correct the name or the tag; if both are right, see what {phone} lacks by "
        f"`make shell PHONE={phone} CMD='docker pull {tagged}'`"
    )


def _once(reason: str) -> str:
    """Docker's words on one line, without what they say twice: ``manifest unknown: manifest
    unknown``."""
    parts = " ".join(reason.split()).split(": ")
    return ": ".join(dict.fromkeys(parts))


def _loaded(manager: Engine, image: str) -> list[str]:
    """The platform of an image that the phone has itself; empty if it has none."""
    try:
        found = manager.get(f"/images/{image}/json")
    except EngineError:
        return []
    return [named({key.lower(): found.get(key) for key in ("Os", "Architecture", "Variant")})]
