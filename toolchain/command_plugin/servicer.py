"""The provider protocol for `command:remote:Command`."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from toolchain.command_plugin import inputs as checking
from toolchain.command_plugin import plan, running
from toolchain.command_plugin.connection import Connection
from toolchain.command_plugin.dialling import DialError, Patience, dial
from toolchain.command_plugin.redaction import Redaction
from toolchain.plugin import answers
from toolchain.plugin.engine_log import EngineLog
from toolchain.plugin.properties import decode, encode, public

NAME: Final = "pulumi-resource-command"
_COMMAND: Final = "command:remote:Command"
# The official plugin leaves the version of its framework in the provider's state.
_FRAMEWORK: Final = {"__pulumi-go-provider-version": "1.2.0"}
_PREVIOUS: Final = {"PULUMI_COMMAND_STDOUT": "stdout", "PULUMI_COMMAND_STDERR": "stderr"}


class CommandProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Runs remote commands; each request has a thread, a connection and a session of its own."""

    def __init__(self, *, version: str, log: EngineLog) -> None:
        self._version = version
        self._log = log
        self._cancelled = threading.Event()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return answers.checked({**decode(request.news), **_FRAMEWORK}, ())

    def Configure(self, request: Any, context: Any) -> Any:
        self._log.introduce(NAME)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=True
        )

    def Cancel(self, request: Any, context: Any) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.NOT_FOUND, _unknown(request.tok))

    def Check(self, request: Any, context: Any) -> Any:
        _demand_command(request.urn, context)
        checked = checking.check(decode(request.news))
        failures = ((failure.property, failure.reason) for failure in checked.failures)
        return answers.checked(checked.inputs, failures)

    def Diff(self, request: Any, context: Any) -> Any:
        changes = plan.changes(
            decode(request.old_inputs),
            decode(request.news),
            decode(request.olds),
            list(request.ignoreChanges),
        )
        return answers.difference(
            {change.path: (change.kind.value, change.replaces) for change in changes},
            changes=bool(changes),
            changed=sorted({change.property for change in changes}),
            replaces=sorted({change.property for change in changes if change.replaces}),
        )

    def Create(self, request: Any, context: Any) -> Any:
        _demand_command(request.urn, context)
        given = decode(request.properties)
        if request.preview:
            outputs = plan.preview_create(given)
        else:
            printed = self._run(request, context, given, "create")
            outputs = {**given, **(printed or dict.fromkeys(plan.OUTPUTS, ""))}
        name = request.urn.rsplit("::", 1)[-1]
        return provider_pb2.CreateResponse(
            id=name + secrets.token_hex(4), properties=encode(outputs)
        )

    def Update(self, request: Any, context: Any) -> Any:
        given, state = decode(request.news), decode(request.olds)
        given |= {name: state[name] for name in request.ignoreChanges if name in state}
        if request.preview:
            return provider_pb2.UpdateResponse(properties=encode(plan.preview_update(state, given)))
        text = "update" if "update" in given else "create"
        before = {name: public(state.get(name, "")) for name in plan.OUTPUTS}
        printed = self._run(request, context, given, text, before)
        return provider_pb2.UpdateResponse(properties=encode({**given, **(printed or before)}))

    def Read(self, request: Any, context: Any) -> Any:
        return provider_pb2.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    def Delete(self, request: Any, context: Any) -> Any:
        state = decode(request.properties)
        before = {name: public(state.get(name, "")) for name in plan.OUTPUTS}
        self._run(request, context, state, "delete", before)
        return empty_pb2.Empty()

    def _run(
        self,
        request: Any,
        context: Any,
        given: Mapping[str, Any],
        text: str,
        before: Mapping[str, str] | None = None,
    ) -> dict[str, str] | None:
        """Run the command named by `text` and return what it printed; nothing without one."""
        if text not in given:
            return None
        redact = Redaction(given, text)
        deadline = time.monotonic() + request.timeout if request.timeout else None
        try:
            printed = self._run_there(request.urn, given, text, before or {}, deadline, redact)
        except (DialError, running.CommandError) as error:
            message = redact(str(error))
        else:
            return {"stdout": printed.stdout, "stderr": printed.stderr}
        return answers.abort(context, message)

    def _run_there(
        self,
        urn: str,
        given: Mapping[str, Any],
        text: str,
        before: Mapping[str, str],
        deadline: float | None,
        redact: Redaction,
    ) -> running.Printed:
        plain = public(dict(given))
        offered = plain.get("addPreviousOutputInEnv", True)
        job = running.Job(
            command=plain[text],
            hidden=redact.all_hidden,
            stdin=plain.get("stdin", ""),
            environment=plain.get("environment", {}),
            previous={
                name: before.get(output, "") for name, output in _PREVIOUS.items() if offered
            },
        )

        def tell(line: str) -> None:
            self._log.status(redact(line), urn=urn)

        logging = "none" if redact.all_hidden else plain.get("logging", "stdoutAndStderr")
        listener = running.Listener(
            stdout=tell if logging in ("stdout", "stdoutAndStderr") else None,
            stderr=tell if logging in ("stderr", "stdoutAndStderr") else None,
            warning=lambda line: self._log.warning(line, urn=urn),
        )
        patience = Patience(deadline=deadline, cancelled=self._cancelled)
        with contextlib.closing(dial(Connection.of(plain), patience, tell)) as transport:
            return running.run(transport, job, listener, deadline=deadline)


def _demand_command(urn: str, context: Any) -> None:
    kind = answers.resource_type(urn)
    if kind != _COMMAND:
        context.abort(grpc.StatusCode.NOT_FOUND, _unknown(kind))


def _unknown(token: str) -> str:
    return (
        f"{token} is not offered by cloudlet's stand-in for the command plugin, which knows "
        f"{_COMMAND} only; install Pulumi and its plugins to use it"
    )
