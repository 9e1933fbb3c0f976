"""The gcp stand-in behind its own gRPC interface, called as the engine calls it."""

from typing import Any, NoReturn

import grpc

from emulator.server.server_file import ServerInfo
from engine.pulumi_proto import provider_pb2
from engine.standin.config import SERVICES
from engine.standin.http import RetryPolicy
from engine.standin.provider import StandIn
from engine.standin.values import Values, from_struct, to_struct
from tests.support.fake_google import ENDPOINT

FAST = RetryPolicy(initial=0.001, maximum=0.01, deadline=2.0)
_PATHS = {
    "bigquery": "bigquery/v2/",
    "cloudrun": "v2/",
    "healthcare": "v1beta1/",
    "storage": "storage/v1/",
}
ENDPOINTS = {
    setting: f"{ENDPOINT}/{_PATHS.get(service, 'v1/')}"
    for service, (setting, _) in SERVICES.items()
}


class RefusedError(Exception):
    """The error message that the engine receives."""

    def __init__(self, code: grpc.StatusCode, text: str, details: bytes = b"") -> None:
        super().__init__(text)
        self.code, self.text, self.details = code, text, details


class Context:
    """A gRPC call without gRPC."""

    def abort(self, code: grpc.StatusCode, text: str) -> NoReturn:
        raise RefusedError(code, text)

    def abort_with_status(self, status: Any) -> NoReturn:
        raise RefusedError(status.code, status.details, dict(status.trailing_metadata).popitem()[1])


class Calls:
    """The plugin's methods as the engine's stub has them."""

    def __init__(self, plugin: StandIn) -> None:
        self._plugin = plugin

    def __getattr__(self, name: str) -> Any:
        return lambda request: getattr(self._plugin, name)(request, Context())


class Engine:
    """Calls the plugin as Pulumi's engine does."""

    def __init__(self, plugin: StandIn) -> None:
        self.stub = Calls(plugin)

    def configure(self, **settings: Any) -> Any:
        args = {"project": "local-project", **ENDPOINTS, **settings}
        args = {key: value for key, value in args.items() if value is not None}
        return self.stub.Configure(provider_pb2.ConfigureRequest(args=to_struct(args)))

    def check(self, type_: str, news: Values, olds: Values | None = None, name: str = "one") -> Any:
        request = provider_pb2.CheckRequest(
            urn=urn(type_, name), news=to_struct(news), olds=to_struct(olds or {}), randomSeed=b"7"
        )
        return self.stub.Check(request)

    def inputs(self, type_: str, news: Values) -> Values:
        response = self.check(type_, news)
        assert not list(response.failures)
        return from_struct(response.inputs)

    def create(self, type_: str, news: Values, *, preview: bool = False) -> tuple[str, Values]:
        request = provider_pb2.CreateRequest(
            urn=urn(type_), properties=to_struct(self.inputs(type_, news)), preview=preview
        )
        response = self.stub.Create(request)
        return response.id, from_struct(response.properties)

    def diff(self, type_: str, id_: str, state: Values, news: Values, **more: Any) -> Any:
        inputs = to_struct(self.inputs(type_, news))
        request = provider_pb2.DiffRequest(
            id=id_, urn=urn(type_), olds=to_struct(state), news=inputs, **more
        )
        return self.stub.Diff(request)

    def update(
        self, type_: str, id_: str, state: Values, news: Values, *, preview: bool = False
    ) -> Values:
        request = provider_pb2.UpdateRequest(
            id=id_,
            urn=urn(type_),
            olds=to_struct(state),
            news=to_struct(self.inputs(type_, news)),
            preview=preview,
        )
        return from_struct(self.stub.Update(request).properties)

    def read(
        self, type_: str, id_: str, state: Values | None = None, inputs: Values | None = None
    ) -> tuple[str, Values, Values]:
        request = provider_pb2.ReadRequest(
            id=id_,
            urn=urn(type_),
            properties=to_struct(state or {}),
            inputs=to_struct(inputs or {}),
        )
        response = self.stub.Read(request)
        return response.id, from_struct(response.properties), from_struct(response.inputs)

    def delete(self, type_: str, id_: str, state: Values) -> None:
        request = provider_pb2.DeleteRequest(id=id_, urn=urn(type_), properties=to_struct(state))
        self.stub.Delete(request)


def urn(type_: str, name: str = "one") -> str:
    """A resource's address, inside a component as in the program."""
    return f"urn:pulumi:local::lab::lab:component:C${type_}::{name}"


def configured_for(emulator: ServerInfo, project: str, **config: str) -> Engine:
    """Return the stand-in, configured for the services of an emulator."""
    found = Engine(StandIn())
    addresses = emulator.environment()
    endpoints = {
        setting: addresses[variable]
        for setting, variable in SERVICES.values()
        if variable in addresses
    }
    found.configure(**endpoints, project=project, **config)
    return found
