"""The plugin's face to the engine: the gRPC service of a resource provider."""

import os
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2

from engine.pulumi_proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from engine.standin import VERSION, config, invokes, registry
from engine.standin.checking.refusals import located
from engine.standin.diff import Change, Difference
from engine.standin.errors import (
    ApiError,
    CancelledError,
    PartialError,
    StandInError,
    VanishedError,
)
from engine.standin.http import Api
from engine.standin.properties import Failure, Naming
from engine.standin.resource import ResourceType
from engine.standin.values import Values, from_struct, to_struct, without_internal

T = TypeVar("T")
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    409: grpc.StatusCode.ALREADY_EXISTS,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
}
_DIFF_KINDS = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def _reports(method: Callable[..., T]) -> Callable[..., T]:
    """Turn the stand-in's errors into gRPC's, with the text as it is."""

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

    def __init__(
        self,
        make_api: Callable[[config.ProviderConfig], Api] = Api,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._make_api = make_api
        self._environment = environment
        self._configured: Api | None = None

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:  # noqa: ARG002, N802
        """Report the features of this plugin: the engine tracks secrets itself."""
        return provider_pb2.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: ARG002, N802
        """Return the version of the plugin that it replaces."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: ARG002, N802
        """Return the schema of what is in the table."""
        from engine.standin.schema import schema

        return provider_pb2.GetSchemaResponse(schema=schema())

    @_reports
    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ARG002, N802
        """Check the settings of a provider."""
        inputs, failures = config.check_config(from_struct(request.news), self._environment)
        return _check_response(inputs, failures)

    @_reports
    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ARG002, N802
        """Return a changed setting of the provider never replaces what it made."""
        olds, news = from_struct(request.old_inputs or request.olds), from_struct(request.news)
        differing = sorted(n for n in olds.keys() | news.keys() if olds.get(n) != news.get(n))
        differing = [name for name in differing if not name.startswith("__")]
        changes = [Change(name, "update", replace=False) for name in differing]
        return _diff_response(Difference(changes, delete_first=False))

    @_reports
    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: ARG002, N802
        """Take the settings; refuses what is not on this machine."""
        settings = from_struct(request.args)
        if not settings:
            settings = {k.rpartition(":")[2]: v for k, v in request.variables.items()}
        self._configured = self._make_api(config.configure(settings, self._environment))
        return provider_pb2.ConfigureResponse(
            supportsPreview=True, supports_autonaming_configuration=True
        )

    @_reports
    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ARG002, N802
        """Check a resource's inputs and fills the defaults."""
        type_ = _type_of(request)
        self._api.config.endpoint(type_.operations.service)  # a preview should fail already
        options = request.autonaming if request.HasField("autonaming") else None
        naming = Naming(
            logical=request.urn.rpartition("::")[2],
            seed=request.randomSeed,
            proposed=options.proposed_name if options else "",
            disabled=bool(options and options.mode == options.DISABLE),
        )
        olds, news = from_struct(request.olds), from_struct(request.news)
        inputs, failures = type_.check(news, olds, naming)
        # The real plug-in names the property in the reason, and there alone.
        missing = [Failure("", located(f.reason, naming.logical, f.path)) for f in failures]
        return _check_response(inputs, missing)

    @_reports
    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ARG002, N802
        """Compare the state with the inputs."""
        type_ = _type_of(request)
        state, news = from_struct(request.olds), from_struct(request.news)
        olds = from_struct(request.old_inputs)
        for path in request.ignoreChanges:
            news = _ignoring(path, news, olds or state)
        stables = [name for name, prop in type_.properties.items() if prop.replace]
        return _diff_response(type_.diff(state, news, self._api), stables)

    @_reports
    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:  # noqa: ARG002, N802
        """Make a resource."""
        type_, news = _type_of(request), from_struct(request.properties)
        if request.preview:
            outputs = type_.preview(news, None, self._api)
            return provider_pb2.CreateResponse(properties=to_struct(outputs))
        try:
            id_, outputs = type_.create(news, self._api)
        except VanishedError as error:
            # The bridge's own words, of which the provider knows nothing.
            raise StandInError(
                f"expected non-nil error with nil state during Create of {request.urn}"
            ) from error
        return provider_pb2.CreateResponse(id=id_, properties=to_struct(outputs))

    @_reports
    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: ARG002, N802
        """Read a resource, for a refresh or an import; an empty id says that it is gone."""
        type_ = _type_of(request)
        state, inputs = from_struct(request.properties), from_struct(request.inputs)
        found = type_.read(request.id, state, inputs, self._api)
        if found is None:
            return provider_pb2.ReadResponse()
        id_, outputs, inputs = found
        return provider_pb2.ReadResponse(
            id=id_, properties=to_struct(outputs), inputs=to_struct(inputs)
        )

    @_reports
    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:  # noqa: ARG002, N802
        """Change a resource in place."""
        type_ = _type_of(request)
        state, news = from_struct(request.olds), from_struct(request.news)
        for path in request.ignoreChanges:
            news = _ignoring(path, news, from_struct(request.old_inputs) or state)
        if request.preview:
            outputs = type_.preview(news, state, self._api)
        else:
            outputs = type_.update(request.id, state, news, request.timeout, self._api)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @_reports
    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Delete a resource."""
        type_, state = _type_of(request), from_struct(request.properties)
        type_.delete(request.id, without_internal(state), self._api)
        return empty_pb2.Empty()

    @_reports
    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:  # noqa: ARG002, N802
        """Call a function."""
        function = invokes.find(request.tok)
        if function is None:
            raise StandInError(
                f"the stand-in of the gcp plugin has no function {request.tok}: it has "
                f"{', '.join(invokes.FUNCTIONS)}, and the policies of its grants; all others need "
                "the real plugin"
            )
        result = function(from_struct(request.args), self._api)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(result))
        return response

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """End what waits (Ctrl-C)."""
        if self._configured is not None:
            self._configured.cancel()
        return empty_pb2.Empty()

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:  # noqa: ARG002, N802
        """Return the engine's address, which this plugin does not need."""
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


def _type_of(request: Any) -> ResourceType:
    token = request.type or request.urn.split("::")[2].rpartition("$")[2]
    type_ = registry.find(token)
    if type_ is None:
        known = ", ".join(type_.pulumi_type for type_ in registry.resource_types())
        raise StandInError(
            f"the stand-in of the gcp plugin does not know {token}; it knows {known}. "
            "Everything else needs the real plugin"
        )
    return type_


def _check_response(inputs: Values, failures: Iterable[Failure]) -> provider_pb2.CheckResponse:
    listed = [provider_pb2.CheckFailure(property=f.path, reason=f.reason) for f in failures]
    return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=listed)


def _diff_response(
    difference: Difference, stables: Iterable[str] = ()
) -> provider_pb2.DiffResponse:
    diff_kinds = {c.path: _DIFF_KINDS[c.action, c.replace] for c in difference.changes}
    replaced = dict.fromkeys(c.top for c in difference.changes if c.replace)
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if diff_kinds else response.DIFF_NONE,
        diffs=list(dict.fromkeys(change.top for change in difference.changes)),
        replaces=list(replaced),
        stables=[name for name in stables if name not in replaced],
        deleteBeforeReplace=difference.delete_first,
        detailedDiff={
            p: provider_pb2.PropertyDiff(kind=diff_kind) for p, diff_kind in diff_kinds.items()
        },
        hasDetailedDiff=True,
    )


def _ignoring(path: str, news: Values, olds: Values) -> Values:
    """Return the inputs with the old value at a path that the program's `ignore_changes` names."""
    first, _, rest = path.partition(".")
    if rest and isinstance(news.get(first), dict):
        return {**news, first: _ignoring(rest, news[first], olds.get(first) or {})}
    if first in olds:
        return {**news, first: olds[first]}
    return {name: value for name, value in news.items() if name != first}
