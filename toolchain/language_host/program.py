"""One run of a Pulumi program inside this process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import runpy
import sys
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
import pulumi
from pulumi.runtime import Settings, configure, run_in_stack, set_all_config

# As many calls in flight for each unit of --parallel as the official host allows.
_CALLS_PER_RESOURCE: Final = 4


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is to be run, and against which engine."""

    path: Path
    """The program's directory, or its main file."""
    working_directory: Path
    root_directory: str
    project: str
    stack: str
    organization: str
    monitor: str
    engine: str | None
    parallel: int
    dry_run: bool
    config: Mapping[str, str] = field(repr=False)
    """In plain, secret values too."""
    secret_keys: Sequence[str]
    arguments: Sequence[str] = ()

    @classmethod
    def of(cls, request: Any, *, engine: str | None) -> Program:
        """The program of a ``Run`` request."""
        info = request.info
        directory = Path(info.program_directory or request.pwd)
        return cls(
            path=directory / (info.entry_point or "."),
            working_directory=Path(request.pwd),
            root_directory=info.root_directory,
            project=request.project,
            stack=request.stack,
            organization=request.organization or "organization",
            monitor=request.monitor_address,
            engine=engine,
            parallel=max(request.parallel, 1),
            dry_run=request.dryRun,
            config=dict(request.config),
            secret_keys=list(request.configSecretKeys),
            arguments=list(request.args),
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a run ended: `error` is still to be shown; `shown` says that one has been."""

    error: str = ""
    shown: bool = False


def run(program: Program) -> Outcome:
    """Run `program` to its end. Never raises: what went wrong is in the outcome."""
    os.chdir(program.working_directory)
    directory = program.path if program.path.is_dir() else program.path.parent
    _leave_only_packages_on_path()
    sys.argv = [str(program.path), *program.arguments]
    set_all_config(dict(program.config), list(program.secret_keys))
    configure(
        Settings(
            project=program.project,
            stack=program.stack,
            monitor=program.monitor,
            engine=program.engine,
            parallel=program.parallel,
            dry_run=program.dry_run,
            organization=program.organization,
            root_directory=program.root_directory,
        )
    )
    # A program that fails leaves futures unobserved, which is no fault of the user's.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        return _run_to_end(program, directory)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _run_to_end(program: Program, directory: Path) -> Outcome:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=program.parallel * _CALLS_PER_RESOURCE)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(run_in_stack(lambda: _execute(program.path)))
    except BaseException as error:  # noqa: BLE001  whatever a program raises is its outcome
        # Judged before the rest is cancelled, which loses where the error came from.
        return _judge(error, directory)
    else:
        return Outcome()
    finally:
        _cancel_rest(loop)
        # Not waited for: a call may be blocked on an engine that is going away.
        executor.shutdown(wait=False, cancel_futures=True)


def _execute(path: Path) -> None:
    # A directory is on the module path while its main file runs, and no longer: an import inside
    # an `apply` fails, here as under the official host.
    main = path / "__main__.py" if path.is_dir() else path
    if not main.is_file():
        raise pulumi.RunError(f"no program at {main}")
    runpy.run_path(str(path), run_name="__main__")


def _leave_only_packages_on_path() -> None:
    """Take away what brought this host here; nothing of it is imported any more."""
    ours = Path(__file__).resolve().parents[2]
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != ours]


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            loop.run_until_complete(task)
    loop.close()


def _judge(error: BaseException, directory: Path) -> Outcome:
    match error:
        case SystemExit(code=None | 0):
            return Outcome()
        case SystemExit(code=int(code)):
            return Outcome(error=f"program exited with non-zero exit code: {code}")
        case SystemExit(code=message):
            pulumi.log.error(str(message))
            return Outcome(shown=True)
        case pulumi.RunError():
            pulumi.log.error(str(error))
            return Outcome(shown=True)
        case grpc.RpcError() if _engine_left(error):
            return Outcome(shown=True)
        case _:
            pulumi.log.error(
                f"Program failed with an unhandled exception:\n{_user_trace(error, directory)}"
            )
            return Outcome(shown=True)


def _engine_left(error: Any) -> bool:
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def _user_trace(error: BaseException, directory: Path) -> str:
    """The traceback from the program's first line on: what came before is ours."""
    frame = error.__traceback__
    own = str(directory.resolve())
    hosts = (str(Path(__file__).resolve().parent), sys.prefix)
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if name.startswith(own) and not name.startswith(hosts):
            break
        frame = frame.tb_next
    return "".join(traceback.format_exception(error.with_traceback(frame or error.__traceback__)))
