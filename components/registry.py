"""The lab's registry: a container on one of its phones, as a resource that a refresh reads.

A container of the phone's own Docker and no service of the swarm: it must be there before the swarm
runs anything, and stay where its volume is. Never rename this module: the state of every lab names
it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from .dynamic import Provider, mended_by, tell, tell_once
from .images.registry_api import RegistryApi
from .images.registry_container import CONTAINER, VOLUME, stop, take_away
from .images.registry_place import RegistryPlace, lost
from .images.upstream import HUB
from .members.managers import wait_until
from .remote import shell
from .remote.engine_api import Engine, EngineError, engine
from .remote.ssh import Host, PhoneError, Session, UnreachableError, connect
from .services.convergence import log_lines

IMAGE = "registry:2"
# To pull the image over a phone's wifi.
PULL_SECONDS = 900.0
START_SECONDS = 30.0
# What is pushed while the registry is swept could be taken for rubbish; and one build keeps this
# machine's processors busy.
ONE_AT_A_TIME = Lock()
_SWEEP_SECONDS = 300.0
# A registry keeps what of a blob has come when a push breaks off, for a week: on a full phone it is
# what fills it.
_SWEEP = (
    "find /var/lib/registry/images -path '*/_uploads/*' -type f -delete; "
    "registry garbage-collect /tmp/push.yml"
)
_SERVES = "yes"
_MARK = "cloudlet.registry"
_LAST_LINES = 5


class RegistryProvider(Provider):
    """Inputs ``name`` (the phone's), ``phone`` (a host's properties), ``address``, ``port``,
    ``cache_mb``, ``upstream``, ``serves``. Output ``storage``: another one is empty."""

    updates = ("phone", "port", "cache_mb", "upstream", "serves")
    replaces = ("name",)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        if _olds["serves"] != _news["serves"]:
            what = f"{_news['name']}: the lab's registry {_olds['serves']}"
            tell_once(f"{what}; {mended_by()}")
        return super().diff(_id, _olds, _news)

    def reasons(self, olds: dict[str, Any], news: dict[str, Any]) -> Iterable[str]:
        if olds["name"] != news["name"]:
            return [f"the lab's registry: {olds['name']} → {news['name']}"]
        return super().reasons(olds, news)

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(props["name"], {**props, "storage": _ensure(props)})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({**_news, "storage": _ensure(_news)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        try:
            with engine(Host.from_inputs(props["phone"])) as client:
                seen = {"serves": _state(client, props), "storage": _storage(client)}
        except UnreachableError as error:
            tell_once(f"{error} {lost(props['name'])}")
            seen = {}
        except PhoneError as error:
            tell_once(str(error))
            seen = {}
        return ReadResult(id_, {**props, **seen})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        try:
            with engine(Host.from_inputs(_props["phone"])) as client:
                take_away(client)
        except UnreachableError as error:
            tell_once(str(error))
            tell(
                f"Left on {_props['name']}: the container and the volume {CONTAINER}, the lab's "
                "registry. No running service needs it. Where the phone stays in the lab, "
                "`make refresh up` takes it away when the phone is back; else `docker rm -fv "
                f"{CONTAINER}` and `docker volume rm {VOLUME}` do"
            )


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """``phone`` is a host's properties; ``cache_mb`` is how much the cache may hold.

    ``upstream`` is what it is a cache of, Docker Hub where it is ``None``.
    """

    place: RegistryPlace
    phone: pulumi.Input[dict[str, Any]]
    cache_mb: int
    upstream: str | None = None


class Registry(Resource, module="cloudlet", name="Registry"):
    """Takes what was built, through SSH, and lets the phones pull that and what Docker Hub has."""

    phone: pulumi.Output[dict[str, Any]]
    mirror: str
    """What stands for Docker Hub in the lab; empty where that itself is asked."""
    storage: pulumi.Output[str]
    """Another one has nothing of what was pushed."""

    def __init__(
        self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self.place = args.place
        self.mirror = args.upstream or ""
        super().__init__(
            RegistryProvider(),
            name,
            {
                "name": args.place.phone,
                "phone": args.phone,
                "address": args.place.address,
                "port": args.place.port,
                "cache_mb": args.cache_mb,
                "upstream": args.upstream or HUB,
                "serves": _SERVES,
                "storage": None,
            },
            opts,
        )


def place_of(props: Mapping[str, Any]) -> RegistryPlace:
    """The place in properties with ``name``, ``address`` and ``port``."""
    return RegistryPlace(phone=props["name"], address=props["address"], port=int(props["port"]))


def sweep(session: Session) -> None:
    """Frees what belongs to no image, while nobody else pushes (:data:`ONE_AT_A_TIME`)."""
    done = session.run(f"docker exec -i {CONTAINER} sh -s", stdin=_SWEEP, seconds=_SWEEP_SECONDS)
    if done.status != 0:
        raise PhoneError(
            f"{session.host.name}: the lab's registry could not be swept: "
            + (done.stderr.strip().splitlines() or ["it failed without a word"])[-1]
        )


def pull(client: Engine, image: str, tag: str) -> str:
    """Has a phone pull an image by a tag or a digest; why it could not, if so."""
    try:
        answer = client.request("POST", "/images/create", {"fromImage": image, "tag": tag})
    except EngineError as error:
        return error.reason
    # Docker tells a failure in the midst of a successful answer.
    lines = [json.loads(line) for line in answer.splitlines() if line.strip()]
    return next((line["error"] for line in lines if "error" in line), "")


def _ensure(props: Mapping[str, Any]) -> str:
    """The registry runs as asked; returns what its storage is called.

    Raises:
        PhoneError: the phone does not answer, has no such image, or the registry does not start.
    """
    with connect(Host.from_inputs(props["phone"])) as session:
        client = Engine(session, PULL_SECONDS)
        if _state(client, props) != _SERVES:
            stop(client)
            _pull(client)
            _start(client, props)
        _wait(session, client, place_of(props))
        storage = _storage(client)
        client.close()
        return storage


def container(props: Mapping[str, Any]) -> dict[str, Any]:
    """What Docker is asked to make."""
    place = place_of(props)
    environment = {
        "IMAGES_PORT": place.port,
        "PUSH_PORT": place.push_port,
        "CACHE_PORT": place.cache_port,
        "CACHE_KB": int(props["cache_mb"]) * 1024,
        "UPSTREAM": props["upstream"],
        "OTEL_TRACES_EXPORTER": "none",
    }
    bound = {place.port: "", place.push_port: "127.0.0.1", place.cache_port: ""}
    asked: dict[str, Any] = {
        "Image": IMAGE,
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": [shell.text("registry.sh")],
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "ExposedPorts": {f"{port}/tcp": {} for port in bound},
        "HostConfig": {
            "Binds": [f"{VOLUME}:/var/lib/registry"],
            "PortBindings": {
                f"{port}/tcp": [{"HostIp": address, "HostPort": str(port)}]
                for port, address in bound.items()
            },
            "RestartPolicy": {"Name": "always"},
        },
    }
    text = json.dumps(asked, sort_keys=True)
    asked["Labels"] = {_MARK: hashlib.sha256(text.encode()).hexdigest()[:16]}
    return asked


def _state(client: Engine, props: Mapping[str, Any]) -> str:
    """Whether it serves as asked, or why not."""
    try:
        found = client.get(f"/containers/{CONTAINER}/json")
    except EngineError as error:
        if error.status == 404:
            return "is not there"
        raise
    if not found["State"]["Running"]:
        return "is stopped"
    labels: dict[str, str] = found["Config"]["Labels"] or {}
    return _SERVES if labels.get(_MARK) == container(props)["Labels"][_MARK] else "was changed"


def _pull(client: Engine) -> None:
    reason = pull(client, *IMAGE.split(":"))
    if not reason:
        return
    try:
        client.get(f"/images/{IMAGE}/json")
    except EngineError:
        how = _remedy(reason, "bring the image there (`docker load`)")
        raise PhoneError(
            f"{client.phone}: cannot have the image {IMAGE}, which is the lab's registry: "
            f"{reason}; {how}"
        ) from None


def _remedy(reason: str, else_: str) -> str:
    """What to do about a phone that cannot have the registry."""
    what = "make room there (`docker system prune`)" if "no space left" in reason else else_
    return f"{what}, or name another phone in cloudlet:registry"


def _start(client: Engine, props: Mapping[str, Any]) -> None:
    try:
        client.post("/containers/create", container(props), name=CONTAINER)
        client.post(f"/containers/{CONTAINER}/start")
    except EngineError as error:
        stop(client)
        words = f"{client.phone}: the lab's registry does not start: {error.reason}"
        if "already" in error.reason:
            words += f"; registry.port {int(props['port'])} and the two after it must be free there"
        else:
            words += "; " + _remedy(error.reason, "look at its Docker")
        raise PhoneError(words) from None


def _wait(session: Session, client: Engine, place: RegistryPlace) -> None:
    why: list[str] = []

    def answers() -> bool:
        api = RegistryApi(session, place.push_port)
        try:
            api.ping()
        except PhoneError as error:
            why[:] = [str(error)]
            return False
        finally:
            api.close()
        return True

    if not wait_until(answers, START_SECONDS):
        raise PhoneError(
            f"{why[0]}. The lab's registry does not answer within {START_SECONDS:.0f} s of its "
            f"start. Its last words: {_last_words(client)}"
        )


def _last_words(client: Engine) -> str:
    query = {"stdout": True, "stderr": True, "tail": _LAST_LINES}
    text = client.request("GET", f"/containers/{CONTAINER}/logs", query)
    lines = [line.strip() for line in log_lines(text)]
    return "; ".join(filter(None, lines)) or "none"


def _storage(client: Engine) -> str:
    try:
        return client.get(f"/volumes/{VOLUME}")["CreatedAt"]
    except EngineError as error:
        if error.status == 404:
            return ""
        raise
