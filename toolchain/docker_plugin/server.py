"""The provider protocol: what the engine asks, answered by the other modules."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderServicer

from . import responses
from .check import Naming, check
from .client import Client
from .diff import diff
from .errors import PluginError, UnfinishedError
from .leftovers import Leftovers
from .objects import Configs, Manager, Networks, Secrets, network_by_name
from .plan import Values, plan, settle
from .provider import check_config, configure
from .services import Services
from .state import imported_inputs, marked_like, refreshed_inputs, stored
from .values import UNKNOWN, from_struct, is_secret, reveal, secret, to_struct, without_nulls

VERSION: Final = "5.1.0"
_GET_NETWORK: Final = "docker:index/getNetwork:getNetwork"
_STAND_IN: Final = (
    "pulumi-resource-docker: cloudlet's stand-in, since the official plugin could not be had"
)
_MODES: Final = {0: "propose", 1: "enforce", 2: "disable"}

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _answers(method: _Method) -> _Method:
    """Turns failures into one readable sentence for the engine."""

    @functools.wraps(method)
    def answer(self: Server, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except UnfinishedError as error:
            olds, news = _plain(request.olds), from_struct(request.news)
            resource = self.manager(request.urn).resource
            now = settle(resource, error.values, olds, applied=False)
            responses.abort_unfinished(context, error, stored(resource, now), news)
        except PluginError as error:
            responses.abort(context, str(error))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Only the kind of error: its text could hold a secret.
            where = f"{method.__name__} of {getattr(request, 'urn', 'the provider')}"
            kind = type(error).__name__
            responses.abort(context, f"the stand-in docker plugin failed in {where} ({kind})")

    return cast("_Method", answer)


def _plain(struct: Any) -> Values:
    return reveal(from_struct(struct))


def _given(struct: Any) -> Values:
    return without_nulls(_plain(struct))


class Server(ResourceProviderServicer):
    """One provider of one program. Requests come in parallel."""

    def __init__(self, engine_address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(engine_address))
        self._client: Client | None = None
        self._managers: dict[str, Manager] = {}
        self._set_managers({})

    def _set_managers(self, credentials: dict[str, Values]) -> None:
        left = Leftovers(self._log)
        managers: tuple[Manager, ...] = (
            Networks(left),
            Secrets(left),
            Configs(left),
            Services(credentials, left),
        )
        self._managers = {manager.resource.token: manager for manager in managers}

    def close(self) -> None:
        """Ends the connections to the Docker Engine."""
        if self._client is not None:
            self._client.close()

    def manager(self, urn: str) -> Manager:
        token = urn.split("::")[2].rpartition("$")[2]
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
        return plugin_pb2.PluginInfo(version=VERSION)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        return empty_pb2.Empty()

    @_answers
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        marked = from_struct(request.news)
        inputs, failures = check_config(_given(request.news))
        kept = {k: secret(v) if is_secret(marked[k]) else v for k, v in inputs.items()}
        return responses.checked(kept, failures)

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
        self._log(_STAND_IN)
        # Like the official plugin this one takes no secrets: the engine then marks each output as
        # secret whose input was, so that the same is encrypted in the state with both.
        return provider_pb2.ConfigureResponse(
            supportsPreview=True, supports_autonaming_configuration=True
        )

    def _log(self, message: str) -> None:
        severity = engine_pb2.INFO
        # Nothing depends on it that the line is seen.
        with contextlib.suppress(grpc.RpcError):
            self._engine.Log(engine_pb2.LogRequest(severity=severity, message=message), timeout=5)

    @_answers
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        if request.tok != _GET_NETWORK:
            raise PluginError(
                f"the stand-in docker plugin has no {request.tok.rpartition(':')[2]}: "
                "it needs the official docker plugin"
            )
        found = network_by_name(self._connected, _given(request.args)["name"])
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(found))
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
        return responses.checked(checked.inputs, checked.failures)

    @_answers
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = self.manager(request.urn).resource
        olds, news = _plain(request.olds), _given(request.news)
        return responses.difference(diff(resource, olds, news, list(request.ignoreChanges)))

    @_answers
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        manager = self.manager(request.urn)
        planned = plan(manager.resource, None, _given(request.properties))
        if request.preview:
            properties = to_struct(stored(manager.resource, planned))
            return provider_pb2.CreateResponse(properties=properties)
        read = manager.create(self._connected, _known(planned))
        settled = settle(manager.resource, read, planned, applied=True)
        properties = to_struct(stored(manager.resource, settled))
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
        values = reveal(outputs)
        given = (
            refreshed_inputs(resource, inputs, values)
            if olds
            else imported_inputs(resource.attrs, values)
        )
        return provider_pb2.ReadResponse(
            id=read["id"],
            properties=to_struct(outputs),
            inputs=to_struct(marked_like(resource, given)),
        )

    @_answers
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        manager = self.manager(request.urn)
        olds, news = _plain(request.olds), _given(request.news)
        planned = plan(manager.resource, olds, news, list(request.ignoreChanges))
        if request.preview:
            properties = to_struct(stored(manager.resource, planned))
            return provider_pb2.UpdateResponse(properties=properties)
        read = manager.update(self._connected, request.id, _known(planned))
        settled = settle(manager.resource, read, planned, applied=True)
        properties = to_struct(stored(manager.resource, settled))
        return provider_pb2.UpdateResponse(properties=properties)

    @_answers
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:
        manager = self.manager(request.urn)
        manager.delete(self._connected, request.id, _plain(request.properties))
        return empty_pb2.Empty()


def _known(planned: Values) -> Values:
    return {key: None if value == UNKNOWN else value for key, value in planned.items()}
