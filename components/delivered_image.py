"""An image of another registry than Docker Hub, fetched once for all phones that run a service.

Docker asks a cache for Docker Hub's images alone. So this machine fetches such an image, puts it
into the lab's registry, and the phones pull it from there before the service is made. The service
keeps the image's own name and digest: what Docker pulls by that name it finds on the phone already,
layer by layer. Where the lab's registry is off, it all comes from where it always came.
Never rename this module: the state of every lab names it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from .dynamic import Provider, tell, tell_once
from .images.architecture import builds, choose
from .images.image_names import registry_of, untagged
from .images.registry_api import RegistryApi
from .images.upstream import RefusedError, Upstream, parsed, places
from .registry import ONE_AT_A_TIME, PULL_SECONDS, Registry, place_of, pull, sweep
from .remote.engine_api import Engine, EngineError
from .remote.ssh import Host, PhoneError, connect

PARALLEL = 16


class DeliveredImageProvider(Provider):
    """Inputs ``reference`` (with its digest), ``phones`` (hosts' properties, each with its
    ``platform``), ``names`` (of those), ``mirror`` (the lab's, or empty), and of the registry
    ``place`` and ``phone``. Output ``copies``: what of it is in the registry."""

    updates = ("reference", "names")

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["reference"], {**props, "copies": _delivered(props)})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        copies = _delivered(_news)
        _remove(_olds, copies)
        return UpdateResult({**_news, "copies": copies})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        _remove(_props, [])


class DeliveredImage(Resource, module="cloudlet", name="DeliveredImage"):
    """Done when the phones have what they will run, or are to fetch it for themselves."""

    def __init__(
        self,
        name: str,
        *,
        reference: pulumi.Input[str],
        phones: pulumi.Input[list[dict[str, Any]]],
        registry: Registry,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        names = pulumi.Output.from_input(phones).apply(
            lambda known: sorted(phone["name"] for phone in known)
        )
        super().__init__(
            DeliveredImageProvider(),
            name,
            {
                "reference": reference,
                "phones": phones,
                "names": names,
                "mirror": registry.mirror,
                "place": registry.place.to_inputs(),
                "phone": registry.phone,
                "copies": None,
            },
            opts,
        )


def _delivered(props: Mapping[str, Any]) -> list[str]:
    """Brings the image to the phones that lack it; the digests of what the registry then has.

    What cannot be done is told, and is no error: the phones fetch it as they would without.
    """
    name, _, digest = props["reference"].partition("@")
    if not digest:
        return []
    started = time.monotonic()
    phones: list[dict[str, Any]] = props["phones"]
    wanted = f"{untagged(name)}@{digest}"
    with ThreadPoolExecutor(PARALLEL) as pool:
        lacks = pool.map(partial(_lacks, wanted), phones)
        lacking = [phone for phone, it in zip(phones, lacks, strict=True) if it]
        # One alone fetches it once.
        if len(lacking) < 2:
            return []
        place = place_of(props["place"])
        try:
            with ONE_AT_A_TIME:
                made = _copied(props, wanted, {phone["platform"] for phone in lacking})
                image = f"{place.images}/{_repository(wanted)}"
                for problem in filter(None, pool.map(partial(_pull, image, made), lacking)):
                    tell(f"{problem}; it fetches {name} for itself")
        except (PhoneError, RefusedError) as error:
            tell(f"{name} is not in the lab's registry, so each phone fetches it: {error}")
            return []
    tell(f"{name}: fetched once for {len(lacking)} phones, {time.monotonic() - started:.1f} s")
    return sorted(set(made.values()))


def _lacks(image: str, phone: Mapping[str, Any]) -> bool:
    """Whether the phone is there and has not got the image."""
    try:
        with connect(Host.from_inputs(phone)) as session:
            client = Engine(session)
            client.get(f"/images/{image}/json")
            client.close()
    except EngineError as error:
        return error.status == 404
    except PhoneError as error:
        tell_once(str(error))
    return False


def _copied(props: Mapping[str, Any], image: str, platforms: Collection[str]) -> dict[str, str]:
    """Has the lab's registry hold the image's builds for these platforms: their digests."""
    name, _, digest = image.partition("@")
    source = Upstream(*next(places(name, props["mirror"] or None)))
    headers, body = source.get(f"manifests/{digest}")
    top = parsed(body)
    made = dict.fromkeys(platforms, digest)
    if "config" not in top:
        there = builds(top)
        made = {each: there[own] for each in platforms for own in choose([each], there)}
    with connect(Host.from_inputs(props["phone"])) as session:
        api = RegistryApi(session, place_of(props["place"]).push_port)
        try:
            for build in sorted(set(made.values())):
                if build != digest:
                    headers, body = source.get(f"manifests/{build}")
                document = parsed(body)
                _copy_blobs(source, api, _repository(image), document)
                kind = document.get("mediaType") or headers.get_content_type()
                api.put_manifest(_repository(image), build, body, kind)
        finally:
            api.close()
    return made


def _copy_blobs(
    source: Upstream, api: RegistryApi, repository: str, manifest: Mapping[str, Any]
) -> None:
    for blob in (manifest["config"], *manifest["layers"]):
        if not api.has(repository, blob["digest"]):
            with tempfile.TemporaryFile() as file:
                source.download(blob["digest"], file)
                file.seek(0)
                api.put_blob(repository, blob["digest"], blob["size"], file)


def _pull(image: str, made: Mapping[str, str], phone: Mapping[str, Any]) -> str:
    """Has the phone pull its build from the lab's registry; why it could not, if so."""
    if phone["platform"] not in made:
        return ""
    try:
        with connect(Host.from_inputs(phone)) as session:
            client = Engine(session, PULL_SECONDS)
            reason = pull(client, image, made[phone["platform"]])
            client.close()
    except PhoneError as error:
        return str(error)
    return reason and f"{phone['name']}: {reason}"


def _remove(props: Mapping[str, Any], kept: Sequence[str]) -> None:
    """Takes what was copied out of the registry but for ``kept``. The phones have it."""
    gone = set(props["copies"]) - set(kept)
    if not gone:
        return
    try:
        with ONE_AT_A_TIME, connect(Host.from_inputs(props["phone"])) as session:
            api = RegistryApi(session, place_of(props["place"]).push_port)
            for digest in sorted(gone):
                api.remove(_repository(props["reference"]), digest)
            api.close()
            sweep(session)
    except PhoneError as error:
        tell_once(str(error))


def _repository(image: str) -> str:
    """Its name in the lab's registry, which is no built image's: ``from/ghcr.io/shop/web``."""
    host = registry_of(image)
    return f"from/{host.replace(':', '-').lower()}{untagged(image).removeprefix(host)}"
