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
from collections.abc import Collection, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, UpdateResult

from .dynamic import Provider, tell, tell_once
from .images.architecture import builds, choose
from .images.image_names import registry_of, untagged
from .images.registry_api import RegistryApi
from .images.upstream import RefusedError, Upstream, parsed, places
from .registry import ONE_AT_A_TIME, PULL_SECONDS, Registry, place_of, pull, sweep
from .remote.engine_api import EngineError, engine
from .remote.ssh import Host, PhoneError, connect

PARALLEL = 16
Phone = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What makes up one build of an image, as its registry has it."""

    digest: str
    kind: str
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        return parsed(self.body)


class DeliveredImageProvider(Provider):
    """Inputs ``reference`` (with its digest), ``phones`` (hosts' properties, each with its
    ``platform``), ``names`` (of those), ``mirror`` (the lab's, or empty), and of the registry
    ``place`` and ``phone``."""

    updates = ("reference", "names")

    def create(self, props: dict[str, Any]) -> CreateResult:
        _deliver(props)
        return CreateResult(props["reference"], dict(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        _deliver(_news)
        return UpdateResult(dict(_news))


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
            },
            opts,
        )


def _deliver(props: Mapping[str, Any]) -> None:
    """Brings the image to the phones that lack it.

    What cannot be done is told, and is no error: the phones fetch it as they would without.
    """
    name, _, digest = props["reference"].partition("@")
    if not digest:
        return
    started = time.monotonic()
    wanted, copy = f"{untagged(name)}@{digest}", _repository(name)
    here = f"{place_of(props['place']).images}/{copy}"
    with ThreadPoolExecutor(PARALLEL) as pool:
        left = _lacking(pool, props["phones"], [wanted] * len(props["phones"]))
        # One alone fetches it once, by itself.
        if len(left) < 2:
            return
        try:
            source = Upstream(*next(places(untagged(name), props["mirror"] or None)))
            made = _builds(source, digest, {phone["platform"] for phone in left})
            with ONE_AT_A_TIME:
                able = [phone for phone in left if phone["platform"] in made]
                theirs = [f"{here}@{made[phone['platform']].digest}" for phone in able]
                # For another service of this run, it was brought under this name already.
                left = _lacking(pool, able, theirs)
                if len(left) < 2:
                    return
                theirs = [made[phone["platform"]].digest for phone in left]
                with _copied(props, source, copy, set(made.values())):
                    pulls = pool.map(_pull, left, [here] * len(left), theirs)
                    for problem in filter(None, pulls):
                        tell(f"{problem}; it fetches {name} for itself")
        except (PhoneError, RefusedError) as error:
            tell(f"{name} is not in the lab's registry, so each phone fetches it: {error}")
            return
    tell(f"{name}: fetched once for {len(left)} phones, {time.monotonic() - started:.1f} s")


def _lacking(
    pool: ThreadPoolExecutor, phones: Sequence[Phone], images: Sequence[str]
) -> list[Phone]:
    """Those that are there and have not got their image."""
    lacks = pool.map(_lacks, phones, images)
    return [phone for phone, it in zip(phones, lacks, strict=True) if it]


def _lacks(phone: Phone, image: str) -> bool:
    try:
        with engine(Host.from_inputs(phone)) as client:
            client.get(f"/images/{image}/json")
    except EngineError as error:
        return error.status == 404
    except PhoneError as error:
        tell_once(str(error))
    return False


def _builds(source: Upstream, digest: str, platforms: Collection[str]) -> dict[str, Manifest]:
    """The image's build for each of the platforms that has one."""
    top = _manifest(source, digest)
    if "config" in top.document:
        return dict.fromkeys(platforms, top)
    there = builds(top.document)
    chosen = {each: own for each in platforms for own in choose([each], there)}
    made = {own: _manifest(source, there[own]) for own in set(chosen.values())}
    return {each: made[own] for each, own in chosen.items()}


def _manifest(source: Upstream, digest: str) -> Manifest:
    headers, body = source.get(f"manifests/{digest}")
    kind = parsed(body).get("mediaType") or headers.get_content_type()
    return Manifest(digest=digest, kind=kind, body=body)


@contextmanager
def _copied(
    props: Mapping[str, Any], source: Upstream, repository: str, made: Collection[Manifest]
) -> Generator[None]:
    """The lab's registry has these builds for the length of the block: then the phones have them,
    and its own is not to fill up."""
    with connect(Host.from_inputs(props["phone"])) as session:
        api = RegistryApi(session, place_of(props["place"]).push_port)
        try:
            for build in made:
                _copy_blobs(source, api, repository, build.document)
                api.put_manifest(repository, build.digest, build.body, build.kind)
            yield
        finally:
            with suppress(PhoneError):
                for build in made:
                    api.remove(repository, build.digest)
                api.close()
                sweep(session)


def _copy_blobs(
    source: Upstream, api: RegistryApi, repository: str, manifest: Mapping[str, Any]
) -> None:
    for blob in (manifest["config"], *manifest["layers"]):
        if not api.has(repository, blob["digest"]):
            with tempfile.TemporaryFile() as file:
                # A connection that is idle meanwhile may not be there afterwards.
                api.close()
                source.download(blob["digest"], file)
                file.seek(0)
                api.put_blob(repository, blob["digest"], blob["size"], file)


def _pull(phone: Phone, image: str, digest: str) -> str:
    """Has the phone pull its build from the lab's registry; why it could not, if so."""
    try:
        with engine(Host.from_inputs(phone), PULL_SECONDS) as client:
            reason = pull(client, image, digest)
    except PhoneError as error:
        return str(error)
    return reason and f"{phone['name']}: {reason}"


def _repository(image: str) -> str:
    """Its name in the lab's registry, which is no built image's: ``from/ghcr.io/shop/web``."""
    host = registry_of(image)
    return f"from/{host.replace(':', '-').lower()}{untagged(image).removeprefix(host)}"
