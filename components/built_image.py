"""An image that a stack says how to build: made on this machine, put into the lab's registry.

Only where what it is built from, or for which phones, has changed since. Never rename this module:
the state of every lab names it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)
from pulumi.output import Unknown

from .dynamic import Provider, changed_keys, show, tell, tell_once
from .images import builder
from .images.build_context import Context
from .images.builder import BuildError, Order, Ways
from .images.phone_images import free
from .images.registry_api import RegistryApi
from .images.registry_container import CONTAINER
from .images.registry_place import lost
from .registry import ONE_AT_A_TIME, Registry, place_of, sweep
from .remote.ssh import Host, PhoneError, Session, UnreachableError, connect
from .remote.tunnel import tunnel

# An input that a plan never shows: whether it is a preview that asks.
_PREVIEW = "__preview"
# Inputs that may be secret, which outputs would not keep so.
_SECRET = ("args", "secrets", "hidden")
_ROOM_MB = 64
# A service that rolls back runs what was built before, and a phone may have to pull that again.
_EARLIER = 2


class BuiltImageProvider(Provider):
    """Inputs: those of :class:`BuiltImageArgs`, and of the registry ``place``, ``phone`` and
    ``storage``. Outputs ``reference``, with the digest of what was pushed, ``tag``, and
    ``earlier``: the tags of what it was before."""

    updates = ("digest", "platforms", "repository", "storage", "place")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        if not _olds:
            _plan(news)
        return CheckResult(news, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = changed_keys(_olds, _news, self.updates)
        # What is not known yet is most often what it was.
        if changes := any(not isinstance(_news[key], Unknown) for key in changed):
            _plan(_news)
        return DiffResult(changes=changes)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["repository"], _built(props, []))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        before = [_olds["tag"], *_olds["earlier"]]
        made = _built(_news, before[:_EARLIER])
        free(made["phones"], {_repository(_olds), _repository(made)})
        return UpdateResult(made)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        wanted = props["reference"].rpartition("@")[2]
        try:
            with _registry(props) as (_, api):
                there = api.digest(props["repository"], wanted) is not None
        except PhoneError as error:
            tell_once(str(error))
            there = True
        return ReadResult(id_, props if there else {**props, "digest": "not in the registry"})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        try:
            with ONE_AT_A_TIME, _registry(_props) as (session, api):
                _sweep(session, api, _props["repository"], [])
            free(_props.get("phones", []), {_repository(_props)})
        except PhoneError as error:
            tell_once(str(error))


@dataclass(frozen=True, kw_only=True)
class BuiltImageArgs:
    """Paths in ``context`` are seen from the folder of ``Pulumi.yaml``, in which providers run.

    ``phones`` are the properties of all hosts that may have pulled it.
    """

    stack: str
    service: str
    repository: str
    context: Context
    target: str
    args: Mapping[str, pulumi.Input[str]]
    secrets: Mapping[str, pulumi.Input[str]]
    hidden: pulumi.Input[list[str]]
    platforms: pulumi.Input[list[str]]
    registry: Registry
    phones: Sequence[pulumi.Input[dict[str, Any]]]


class BuiltImage(Resource, module="cloudlet", name="BuiltImage"):
    """``reference``: where the phones pull it, ``192.168.8.11:5080/hello/web:…@sha256:…``."""

    reference: pulumi.Output[str]
    platforms: pulumi.Output[list[str]]

    def __init__(
        self, name: str, args: BuiltImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            BuiltImageProvider(),
            name,
            {
                "stack": args.stack,
                "service": args.service,
                "repository": args.repository,
                "folder": str(args.context.folder),
                "dockerfile": str(args.context.dockerfile),
                "ignore": str(args.context.ignore or ""),
                "digest": args.context.digest,
                "target": args.target,
                "args": dict(args.args),
                "secrets": dict(args.secrets),
                "hidden": args.hidden,
                "platforms": args.platforms,
                "place": args.registry.place.to_inputs(),
                "phone": args.registry.phone,
                "storage": args.registry.storage,
                "phones": list(args.phones),
                _PREVIEW: pulumi.runtime.is_dry_run(),
                "reference": None,
                "tag": None,
                "earlier": None,
            },
            opts,
        )


def _plan(news: Mapping[str, Any]) -> None:
    """Says in a preview what an `up` would do."""
    if news[_PREVIEW] is not True:
        return
    platforms = news["platforms"]
    if isinstance(platforms, Unknown):
        what = "the architectures that its phones tell at the first contact"
    else:
        what = ", ".join(platforms)
    tell_once(f"{news['stack']}: would build {news['service']} for {what}")


def _built(props: dict[str, Any], earlier: list[str]) -> dict[str, Any]:
    """What the resource is once the image is in the registry.

    Of what was there before, only the tags ``earlier`` stay.
    """
    what = f"{props['stack']}: {props['service']}"
    tag = _tag(props)
    kept = {key: value for key, value in props.items() if key not in (*_SECRET, _PREVIEW)}
    place = place_of(props["place"])

    def step(line: str) -> None:
        show(f"{what}: {line}")

    with ONE_AT_A_TIME, _registry(props) as (session, api):
        started = time.monotonic()
        order = Order(
            folder=Path(props["folder"]).expanduser(),
            dockerfile=Path(props["dockerfile"]).expanduser(),
            ignore=Path(props["ignore"]).expanduser() if props["ignore"] else None,
            target=props["target"],
            args=props["args"],
            secrets={key: base64.b64decode(data) for key, data in props["secrets"].items()},
            hidden=props["hidden"],
            platforms=props["platforms"],
        )
        platforms = ", ".join(order.platforms)
        show(f"{what}: building for {platforms}")
        host = session.host
        with tunnel(host, place.push_port) as push, tunnel(host, place.cache_port) as cache:
            try:
                by = builder.find(
                    lambda file, _: api.upload(file, props["repository"], tag),
                    lambda line: tell(f"{what}: {line}"),
                )
                reference = f"{props['repository']}:{tag}"
                by.push(order, reference, Ways(push=push.port, cache=cache.port), step)
                digest = api.digest(props["repository"], tag)
            except (BuildError, PhoneError) as error:
                refused = push.refused or cache.refused
                why = _failed(props, host, str(error), refused, runs=bool(earlier))
                raise PhoneError(why) from None
        _sweep(session, api, props["repository"], [tag, *earlier])
    seconds = time.monotonic() - started
    tell(f"{what}: built for {platforms} and in the registry after {seconds:.1f} s")
    reference = f"{_repository(props)}:{tag}@{digest}"
    return {**kept, "reference": reference, "tag": tag, "earlier": earlier}


def _repository(props: Mapping[str, Any]) -> str:
    """As phones name it, with its registry."""
    return f"{place_of(props['place']).images}/{props['repository']}"


def _tag(props: Mapping[str, Any]) -> str:
    text = json.dumps([props["digest"], sorted(props["platforms"])])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def _registry(props: Mapping[str, Any]) -> Generator[tuple[Session, RegistryApi]]:
    """The registry behind its phone's loopback; raises PhoneError where it does not answer."""
    with ExitStack() as held:
        try:
            session = held.enter_context(connect(Host.from_inputs(props["phone"])))
            api = RegistryApi(session, place_of(props["place"]).push_port)
            held.callback(api.close)
            api.ping()
        except UnreachableError as error:
            raise UnreachableError(f"{error} {lost(props['place']['name'])}") from None
        except PhoneError as error:
            raise PhoneError(f"{error}. `make refresh up` mends the registry") from None
        # A connection that is idle while something is built may not be there afterwards.
        api.close()
        yield session, api


def _sweep(session: Session, api: RegistryApi, repository: str, tags: list[str]) -> None:
    """Takes all but ``tags`` of a repository away, and what of the storage nobody needs then."""
    if api.keep(repository, tags):
        sweep(session)


def _failed(props: Mapping[str, Any], host: Host, words: str, refused: str, *, runs: bool) -> str:
    """Why the image could not be built or pushed; frees what was pushed in vain.

    No builder names a phone that is full, or that has died meanwhile. ``refused`` is why it took
    no connection, ``runs`` whether an earlier build is there that services have.
    """
    why = f"stacks.{props['stack']}: services.{props['service']}.build: {words}"
    try:
        with connect(host) as session:
            asked = session.run(f"docker exec {CONTAINER} df -Pm /var/lib/registry")
            with suppress(PhoneError):
                sweep(session)
    except UnreachableError as error:
        return f"{why}\n{error} {lost(host.name)}"
    except PhoneError as error:
        return f"{why}\n{error}"
    if refused:
        why += f"\n{refused}"
    if asked.status != 0:
        return f"{why}\n{host.name}: the lab's registry is not up; `make refresh up` mends it"
    free = (asked.stdout.split() or [""])[-3:][0]
    if free.isdigit() and int(free) < _ROOM_MB:
        return (
            f"{why}\n{host.name} has {free} MB left for Docker, so its registry can take no image: "
            f"make room there (`docker system prune`), or name another phone in cloudlet:registry"
        )
    before = "What ran before runs on. " if runs else ""
    return f"{why}\n{before}When this is mended, `make up` builds it."
