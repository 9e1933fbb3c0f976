"""The plugin's face to the engine: the gRPC service of a resource provider."""

import os
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2

from engine.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc
from engine.standin import VERSION, config, registry
from engine.standin.diff import Change
from engine.standin.errors import ApiError, CancelledError, PartialError, StandInError
from engine.standin.http import Api
from engine.standin.invokes import FUNCTIONS
from engine.standin.properties import Failure, Naming
from engine.standin.resource import Difference, Resource
from engine.standin.values import Values, from_struct, to_struct, without_internal

T = TypeVar("T")
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def _reports(method: Callable[..., T]) -> Callable[..., T]:
    """Turns the stand-in's errors into gRPC's, with the text as it is."""

    @wraps(method)
    def reporting(self: "StandIn", request: Any, context: grpc.ServicerContext) -> T:
        try:
            return method(self, request, context)
        except PartialError as error:
            _abort_partially(error, context)
        except CancelledError as error:
            context.abort(grpc.StatusCode.CANCELLED, str(error))
        except ApiError as error:
            context.abort(_CODES.get(error.code, grpc.StatusCode.UNKNOWN), str(error))
        except StandInError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    return reporting


def _abort_partially(error: PartialError, context: grpc.ServicerContext) -> NoReturn:
    # Imported here: only a failure needs them.
    from google.rpc import status_pb2
    from grpc_status import rpc_status

    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.id, properties=to_struct({"id": error.id, **error.state}), reasons=[str(error)]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(detail)
    context.abort_with_status(rpc_status.to_status(status))


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """The stand-in as the engine sees it. Safe for the engine's concurrent calls."""

    def __init__(self, make_api: Callable[[config.ProviderConfig], Api] = Api) -> None:
        self._make_api = make_api
        self._configured: Api | None = None

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:  # noqa: ARG002, N802
        """Tells what this plugin understands: the engine keeps track of secrets itself."""
        return provider_pb2.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        """Tells the version of the plugin that it stands in for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: ARG002, N802
        """The schema of what is in the table."""
        from engine.standin.schema import schema

        return provider_pb2.GetSchemaResponse(schema=schema())

    @_reports
    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ARG002, N802
        """Checks the settings of a provider."""
        inputs, failures = config.check_config(from_struct(request.news), os.environ)
        return _check_response(inputs, failures)

    @_reports
    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ARG002, N802
        """A changed setting of the provider never replaces what it made."""
        olds, news = from_struct(request.old_inputs or request.olds), from_struct(request.news)
        differing = sorted(n for n in olds.keys() | news.keys() if olds.get(n) != news.get(n))
        differing = [name for name in differing if not name.startswith("__")]
        changes = [Change(name, "update", replace=False) for name in differing]
        return _diff_response(Difference(changes, delete_first=False))

    @_reports
    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: ARG002, N802
        """Takes the settings; refuses what is not on this machine."""
        settings = from_struct(request.args)
        if not settings:
            settings = {k.rpartition(":")[2]: v for k, v in request.variables.items()}
        self._configured = self._make_api(config.configure(settings, os.environ))
        return provider_pb2.ConfigureResponse(
            supportsPreview=True, supports_autonaming_configuration=True
        )

    @_reports
    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ARG002, N802
        """Checks a resource's inputs and fills the defaults."""
        row = _row(request)
        self._api.config.endpoint(row.behaviour.service)  # a preview should tell already
        options = request.autonaming if request.HasField("autonaming") else None
        naming = Naming(
            logical=request.urn.rpartition("::")[2],
            seed=request.randomSeed,
            proposed=options.proposed_name if options else "",
            disabled=bool(options and options.mode == options.DISABLE),
        )
        olds, news = from_struct(request.olds), from_struct(request.news)
        return _check_response(*row.check(news, olds, naming))

    @_reports
    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ARG002, N802
        """Compares the state with the inputs."""
        row = _row(request)
        state, news = from_struct(request.olds), from_struct(request.news)
        olds = from_struct(request.old_inputs)
        for path in request.ignoreChanges:
            news = _ignoring(path, news, olds or state)
        stables = [name for name, prop in row.properties.items() if prop.replace]
        return _diff_response(row.diff(state, news, self._api), stables)

    @_reports
    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:  # noqa: ARG002, N802
        """Makes a resource."""
        row, news = _row(request), from_struct(request.properties)
        if request.preview:
            outputs = row.preview(news, None, self._api)
            return provider_pb2.CreateResponse(properties=to_struct(outputs))
        id_, outputs = row.create(news, self._api)
        return provider_pb2.CreateResponse(id=id_, properties=to_struct(outputs))

    @_reports
    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: ARG002, N802
        """Reads a resource, for a refresh or an import; an empty id says that it is gone."""
        row = _row(request)
        state, inputs = from_struct(request.properties), from_struct(request.inputs)
        found = row.read(request.id, state, inputs, self._api)
        if found is None:
            return provider_pb2.ReadResponse()
        id_, outputs, inputs = found
        return provider_pb2.ReadResponse(
            id=id_, properties=to_struct(outputs), inputs=to_struct(inputs)
        )

    @_reports
    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:  # noqa: ARG002, N802
        """Changes a resource in place."""
        row = _row(request)
        state, news = from_struct(request.olds), from_struct(request.news)
        for path in request.ignoreChanges:
            news = _ignoring(path, news, from_struct(request.old_inputs) or state)
        if request.preview:
            outputs = row.preview(news, state, self._api)
        else:
            outputs = row.update(request.id, state, news, request.timeout, self._api)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @_reports
    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Deletes a resource."""
        row, state = _row(request), from_struct(request.properties)
        row.delete(request.id, without_internal(state), self._api)
        return empty_pb2.Empty()

    @_reports
    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:  # noqa: ARG002, N802
        """Calls a function."""
        function = FUNCTIONS.get(request.tok)
        if function is None:
            raise StandInError(
                f"the stand-in of the gcp plugin has no function {request.tok}: it has "
                f"{', '.join(FUNCTIONS)}; all others need the real plugin"
            )
        result = function(from_struct(request.args), self._api)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(result))
        return response

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Ends what waits (Ctrl-C)."""
        if self._configured is not None:
            self._configured.cancel()
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """The engine's address, which this plugin does not need."""
        return empty_pb2.Empty()

    def GetMapping(self, request: Any, context: Any) -> provider_pb2.GetMappingResponse:  # noqa: ARG002, N802
        """No mapping from other ecosystems."""
        return provider_pb2.GetMappingResponse()

    def GetMappings(self, request: Any, context: Any) -> provider_pb2.GetMappingsResponse:  # noqa: ARG002, N802
        """No mapping from other ecosystems."""
        return provider_pb2.GetMappingsResponse()

    @property
    def _api(self) -> Api:
        if self._configured is None:
            raise StandInError("the stand-in of the gcp plugin was called before it was configured")
        return self._configured


def _row(request: Any) -> Resource:
    token = request.type or request.urn.split("::")[2].rpartition("$")[2]
    row = registry.find(token)
    if row is None:
        known = ", ".join(row.pulumi_type for row in registry.rows())
        raise StandInError(
            f"the stand-in of the gcp plugin does not know {token}; it knows {known}. "
            "Everything else needs the real plugin"
        )
    return row


def _check_response(inputs: Values, failures: Iterable[Failure]) -> provider_pb2.CheckResponse:
    listed = [provider_pb2.CheckFailure(property=f.path, reason=f.reason) for f in failures]
    return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=listed)


def _diff_response(
    difference: Difference, stables: Iterable[str] = ()
) -> provider_pb2.DiffResponse:
    kinds = {c.path: _KINDS[c.action, c.replace] for c in difference.changes}
    replaced = dict.fromkeys(c.top for c in difference.changes if c.replace)
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if kinds else response.DIFF_NONE,
        diffs=list(dict.fromkeys(change.top for change in difference.changes)),
        replaces=list(replaced),
        stables=[name for name in stables if name not in replaced],
        deleteBeforeReplace=difference.delete_first,
        detailedDiff={p: provider_pb2.PropertyDiff(kind=kind) for p, kind in kinds.items()},
        hasDetailedDiff=True,
    )


def _ignoring(path: str, news: Values, olds: Values) -> Values:
    """The inputs with the old value at a path that the program's `ignore_changes` names."""
    first, _, rest = path.partition(".")
    if rest and isinstance(news.get(first), dict):
        return {**news, first: _ignoring(rest, news[first], olds.get(first) or {})}
    if first in olds:
        return {**news, first: olds[first]}
    return {name: value for name, value in news.items() if name != first}
