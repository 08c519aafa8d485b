"""The provider protocol: what the engine asks, answered by the other modules."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from toolchain.plugin import answers
from toolchain.plugin.engine_log import EngineLog
from toolchain.plugin.properties import UNKNOWN, Secret, decode, encode, has_secret, public

from . import responses
from .check import Naming, check
from .client import Client
from .diff import diff
from .errors import PluginError, UnfinishedError
from .objects import Configs, Manager, Networks, Secrets, network_by_name
from .plan import Values, plan, settle
from .provider import check_config, configure
from .services import Services
from .state import imported_inputs, marked_like, refreshed_inputs, stored

NAME: Final = "pulumi-resource-docker"
_GET_NETWORK: Final = "docker:index/getNetwork:getNetwork"
_MODES: Final = {0: "propose", 1: "enforce", 2: "disable"}

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _answers(method: _Method) -> _Method:
    """Turns failures into one readable sentence for the engine."""

    @functools.wraps(method)
    def answer(self: Server, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except UnfinishedError as error:
            olds, news = _plain(request.olds), decode(request.news, nulls=True)
            resource = self.manager(request.urn).resource
            now = settle(resource, error.values, olds, applied=False)
            responses.abort_unfinished(context, error, stored(resource, now), news)
        except PluginError as error:
            answers.abort(context, str(error))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Only the kind of error: its text could hold a secret.
            where = f"{method.__name__} of {getattr(request, 'urn', 'the provider')}"
            kind = type(error).__name__
            answers.abort(context, f"the stand-in docker plugin failed in {where} ({kind})")

    return cast("_Method", answer)


def _plain(struct: Any) -> Values:
    return public(decode(struct, nulls=True))


def _given(struct: Any) -> Values:
    return public(decode(struct))


class Server(ResourceProviderServicer):
    """One provider of one program. Requests come in parallel."""

    def __init__(self, *, version: str, log: EngineLog) -> None:
        self._version = version
        self._log = log
        self._client: Client | None = None
        self._managers: dict[str, Manager] = {}
        self._set_managers({})

    def _set_managers(self, credentials: dict[str, Values]) -> None:
        managers: tuple[Manager, ...] = (Networks(), Secrets(), Configs(), Services(credentials))
        self._managers = {manager.resource.token: manager for manager in managers}

    def close(self) -> None:
        """Ends the connections to the Docker Engine."""
        if self._client is not None:
            self._client.close()

    def manager(self, urn: str) -> Manager:
        token = answers.resource_type(urn)
        if token not in self._managers:
            raise PluginError(
                f"the stand-in docker plugin knows no {token}: it needs the official docker plugin"
            )
        return self._managers[token]

    @property
    def _connected(self) -> Client:
        if self._client is None:
            raise PluginError("the docker provider was not configured")
        return self._client

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self._version)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    @_answers
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        marked = decode(request.news)
        inputs, failures = check_config(public(marked))
        kept = {k: Secret(v) if has_secret(marked[k]) else v for k, v in inputs.items()}
        return _checked(kept, failures)

    @_answers
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        olds = request.old_inputs if request.HasField("old_inputs") else request.olds
        return responses.config_difference(
            _given(olds), _given(request.news), list(request.ignoreChanges)
        )

    @_answers
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        configured = configure(_given(request.args))
        self._client = configured.client
        self._set_managers(dict(configured.credentials))
        self._log.introduce(NAME)
        # Like the official plugin this one takes no secrets: the engine then marks each output as
        # secret whose input was, so that the same is encrypted in the state with both.
        return provider_pb2.ConfigureResponse(
            supportsPreview=True, supports_autonaming_configuration=True
        )

    @_answers
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.tok != _GET_NETWORK:
            raise PluginError(
                f"the stand-in docker plugin has no {request.tok.rpartition(':')[2]}: "
                "it needs the official docker plugin"
            )
        found = network_by_name(self._connected, _given(request.args)["name"])
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(encode(found))
        return response

    @_answers
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = self.manager(request.urn).resource
        own = request.HasField("autonaming")
        naming = Naming(
            resource=request.urn.rpartition("::")[2],
            seed=request.randomSeed,
            mode=_MODES[request.autonaming.mode] if own else "",
            proposed=request.autonaming.proposed_name if own else "",
        )
        checked = check(resource, _given(request.news), _plain(request.olds), naming)
        return _checked(checked.inputs, checked.failures)

    @_answers
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = self.manager(request.urn).resource
        olds, news = _plain(request.olds), _given(request.news)
        result = diff(resource, olds, news, list(request.ignoreChanges))
        return answers.difference(
            {path: (change.kind, change.replace) for path, change in result.details.items()},
            changes=result.changes,
            changed=result.changed,
            replaces=result.replaces,
            stables=result.stables,
            delete_before_replace=result.delete_before_replace,
        )

    @_answers
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        manager = self.manager(request.urn)
        planned = plan(manager.resource, None, _given(request.properties))
        if request.preview:
            properties = encode(stored(manager.resource, planned))
            return provider_pb2.CreateResponse(properties=properties)
        read = manager.create(self._connected, _known(planned))
        settled = settle(manager.resource, read, planned, applied=True)
        properties = encode(stored(manager.resource, settled))
        return provider_pb2.CreateResponse(id=read["id"], properties=properties)

    @_answers
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        manager = self.manager(request.urn)
        resource = manager.resource
        olds, inputs = _plain(request.properties), _plain(request.inputs)
        read = manager.read(self._connected, request.id, olds)
        if read is None:
            return provider_pb2.ReadResponse()
        outputs = stored(resource, settle(resource, read, olds, applied=False))
        values = public(outputs)
        given = (
            refreshed_inputs(resource, inputs, values)
            if olds
            else imported_inputs(resource.attrs, values)
        )
        return provider_pb2.ReadResponse(
            id=read["id"],
            properties=encode(outputs),
            inputs=encode(marked_like(resource, given)),
        )

    @_answers
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        manager = self.manager(request.urn)
        olds, news = _plain(request.olds), _given(request.news)
        planned = plan(manager.resource, olds, news, list(request.ignoreChanges))
        if request.preview:
            properties = encode(stored(manager.resource, planned))
            return provider_pb2.UpdateResponse(properties=properties)
        read = manager.update(self._connected, request.id, _known(planned))
        settled = settle(manager.resource, read, planned, applied=True)
        properties = encode(stored(manager.resource, settled))
        return provider_pb2.UpdateResponse(properties=properties)

    @_answers
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        manager = self.manager(request.urn)
        manager.delete(self._connected, request.id, _plain(request.properties))
        return empty_pb2.Empty()


def _checked(inputs: Values, failures: list[tuple[str, str]]) -> Any:
    # The official plugin, too, names the property in the reason: the engine shows it alone.
    return answers.checked(inputs, ((path, f"{path}: {reason}") for path, reason in failures))


def _known(planned: Values) -> Values:
    return {key: None if value == UNKNOWN else value for key, value in planned.items()}
