"""An image of Docker Hub in the cache of the lab's registry, before the phones ask for it.

A registry that is a cache fetches what it has not got once for itself and once for each who asks
meanwhile; and the phones of a service all ask at the same moment. So what they will ask for is put
there first. Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from .dynamic import Provider, tell
from .images.architecture import builds, choose
from .images.image_names import hub_repository
from .images.registry_api import RegistryApi
from .images.registry_container import CONTAINER
from .registry import Registry, place_of
from .remote.ssh import Host, PhoneError, Session, connect

# A slow uplink is waited for as long as something comes through it.
STALL_SECONDS = 60.0
_LOOK_SECONDS = 0.5
# Prints which of the blobs are not there yet, and how much is.
_LOOK = r"""
cd /var/lib/registry/cache
for each; do
	[ -e "docker/registry/v2/blobs/sha256/$(printf %.2s "$each")/$each/data" ] || echo "$each"
done
du -sk .
"""


class CachedImageProvider(Provider):
    """Inputs ``reference`` (with its digest), ``platforms`` (of the phones), and of the registry
    ``place``, ``phone`` and ``storage``."""

    updates = ("reference", "platforms", "storage")

    def create(self, props: dict[str, Any]) -> CreateResult:
        _fetch(props)
        return CreateResult(props["reference"], dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        _fetch(_news)
        return UpdateResult(dict(_news))


class CachedImage(Resource, module="cloudlet", name="CachedImage"):
    """Done when the cache has what the phones will pull, or cannot have it: then they fetch it
    themselves."""

    def __init__(
        self,
        name: str,
        *,
        reference: pulumi.Input[str],
        platforms: pulumi.Input[list[str]],
        registry: Registry,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            CachedImageProvider(),
            name,
            {
                "reference": reference,
                "platforms": platforms,
                "place": registry.place.to_inputs(),
                "phone": registry.phone,
                "storage": registry.storage,
            },
            opts,
        )


def _fetch(props: Mapping[str, Any]) -> None:
    name, _, digest = props["reference"].partition("@")
    repository = hub_repository(name)
    if not digest or repository is None:
        return
    try:
        with connect(Host.from_inputs(props["phone"])) as session:
            api = RegistryApi(session, place_of(props["place"]).cache_port)
            try:
                blobs = _blobs(api, repository, digest, props["platforms"])
                _have(session, api, repository, blobs)
            finally:
                api.close()
    except PhoneError as error:
        tell(f"{name} is not in the cache, so each phone fetches it for itself: {error}")


def _blobs(api: RegistryApi, repository: str, digest: str, platforms: Sequence[str]) -> list[str]:
    """The digests of all that makes up the image for these platforms."""
    top = api.manifest(repository, digest)
    there = builds(top)
    wanted = {there[each] for each in choose(platforms, there)}
    manifests = [api.manifest(repository, each) for each in sorted(wanted)] if there else [top]
    found = (blob for each in manifests for blob in (each["config"], *each["layers"]))
    return list(dict.fromkeys(blob["digest"] for blob in found))


def _have(session: Session, api: RegistryApi, repository: str, blobs: Sequence[str]) -> None:
    """Returns when the cache has all of the blobs.

    Raises:
        PhoneError: nothing came for a while.
    """
    missing, size = _look(session, blobs)
    for digest in missing:
        api.start(repository, digest)
    moved = time.monotonic()
    while missing:
        time.sleep(_LOOK_SECONDS)
        before = (missing, size)
        missing, size = _look(session, blobs)
        if (missing, size) != before:
            moved = time.monotonic()
        elif time.monotonic() > moved + STALL_SECONDS:
            raise PhoneError(f"nothing came for {STALL_SECONDS:.0f} s")


def _look(session: Session, blobs: Sequence[str]) -> tuple[list[str], str]:
    """Which are not there yet, and a text that changes while something comes."""
    words = " ".join(digest.removeprefix("sha256:") for digest in blobs)
    done = session.run(f"docker exec -i {CONTAINER} sh -s -- {words}", _LOOK)
    if done.status != 0:
        raise PhoneError(f"{session.host.name}: {done.stderr.strip() or 'no answer'}")
    *missing, size = done.stdout.splitlines()
    return [f"sha256:{each}" for each in missing], size
