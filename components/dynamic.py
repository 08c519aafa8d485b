"""What our dynamic providers share. They run in Pulumi's own provider process, not in the program.

A subclass lives in a module that is never renamed: the state of every lab names it, and what it
names but Pulumi cannot import cannot be destroyed.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent import futures
from types import ModuleType
from typing import Any, ClassVar

import grpc
from pulumi.dynamic import DiffResult, ResourceProvider
from pulumi.runtime.proto.engine_pb2 import INFO, LogRequest
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

from . import plan_words
from .memo import once
from .remote import shell
from .remote.ssh import PhoneError, Result, Session

# Longer than any run.
RUN_SECONDS = 24 * 3600.0
# More than the engine asks for at once, which is its `--parallel`.
THREADS = 128
_SHOW_SECONDS = 5.0
# The command that `make` runs, in the environment that a provider's process has from Pulumi's.
COMMAND = "CLOUDLET_COMMAND"


class Provider(ResourceProvider):
    """Plans by comparing named inputs, never by comparing code.

    ``updates`` and ``replaces`` are the inputs whose change updates or replaces the resource; what
    is in neither (how to reach a phone, say) is taken up silently by the next real change.
    """

    updates: ClassVar[Sequence[str]] = ()
    replaces: ClassVar[Sequence[str]] = ()

    def __init_subclass__(cls) -> None:
        for name in ("check", "diff", "create", "read", "update", "delete"):
            if name in vars(cls):
                setattr(cls, name, _in_its_own_words(vars(cls)[name]))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        changed = changed_keys(_olds, _news, [*self.updates, *self.replaces])
        replaces = [key for key in changed if key in self.replaces]
        if changed:
            for line in self.reasons(_olds, _news):
                tell_once(line)
        return DiffResult(changes=bool(changed), replaces=replaces, delete_before_replace=True)

    def reasons(self, olds: dict[str, Any], news: dict[str, Any]) -> Iterable[str]:
        """Lines for the plan: what changes, from what to what. Pulumi names the key alone."""
        if words := ", ".join(plan_words.way(olds.get("phone"), news.get("phone"))):
            yield f"{olds['phone']['name']}: {words}"


def _in_its_own_words(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, whose errors Pulumi shows as they are.

    The provider process hands an exception to gRPC, which puts "Exception calling application:"
    before its text, unless the call that is served has words for its failure already.
    """

    @functools.wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return method(*arguments, **named)
        except Exception as error:
            served = _served()
            if served is not None:
                served.set_details(str(error))
            raise

    return call


def _served() -> grpc.ServicerContext | None:
    """The gRPC call that this thread works for, which the SDK hands on to nobody."""
    frame = inspect.currentframe()
    while frame is not None:
        context = frame.f_locals.get("context")
        if isinstance(context, grpc.ServicerContext):
            return context
        frame = frame.f_back
    return None


def serve_as_many_as_are_asked_for(host: ModuleType) -> None:
    """The SDK's provider process, as ``host``, serves four calls at a time; these can be more.

    Most of a call is waiting for a phone: with four threads a lab of thirty would wait in line. In
    any other process ``host`` is something else, and nothing happens.
    """
    servicer = getattr(host, "DynamicResourceProviderServicer", None)
    threads = futures.ThreadPoolExecutor(THREADS)
    for name in ("Create", "Read", "Update", "Delete"):
        if hasattr(servicer, name):
            # gRPC's own way to give a method other threads than its server's.
            getattr(servicer, name).experimental_thread_pool = threads


serve_as_many_as_are_asked_for(sys.modules["__main__"])


def changed_keys(
    olds: Mapping[str, Any], news: Mapping[str, Any], keys: Sequence[str]
) -> list[str]:
    """Those of ``keys`` whose values differ; numbers that Pulumi made floats equal their ints."""
    return [key for key in keys if olds.get(key) != news.get(key)]


def run_script(
    session: Session,
    name: str,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    root: bool = True,
) -> str:
    """Runs ``scripts/<name>`` on a phone, ``settings`` (secrets among them) on its input.

    Raises:
        PhoneError: with the script's last words, where it fails.
    """
    line = shell.command(*arguments, root=root)
    return checked(session, session.run(line, shell.script(name, settings)))


def checked(session: Session, result: Result) -> str:
    """What a command printed; its last words are the error where it failed."""
    if result.status != 0:
        words = result.stderr.strip() or result.stdout.strip() or "it failed without a word"
        raise PhoneError(f"{session.host.name}: {words}")
    return result.stdout


def mended_by() -> str:
    """By what, to whom this is said now, a thing that is not as it should be is mended."""
    return "mended now" if os.environ.get(COMMAND) == "up" else "`make up` mends it"


def tell(message: str) -> None:
    """A line for the person who watches ``pulumi up``: the engine shows what a provider prints."""
    # In one piece, end of line included: other resources' threads print too.
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


def show(message: str) -> None:
    """A line for the moment: unlike what is told, it is not repeated under *Diagnostics*."""
    engine = _engine()
    if engine is not None:
        line = LogRequest(severity=INFO, message=message, urn="", streamId=0, ephemeral=True)
        try:
            engine.Log(line, timeout=_SHOW_SECONDS)
        except grpc.RpcError:
            pass
        else:
            return
    tell(message)


@functools.cache
def _engine() -> Any:
    """The engine, whose address is the first argument of each of its plugins; else nothing."""
    address = sys.argv[1] if len(sys.argv) > 1 else ""
    if not re.fullmatch(r"[0-9.]+:[0-9]+", address):
        return None
    stub: Any = EngineStub(grpc.insecure_channel(address))
    return stub


def tell_once(message: str) -> None:
    """:func:`tell`, for what several resources find out, or one that is asked twice in a run."""
    once(("told", message), lambda: tell(message), RUN_SECONDS)
