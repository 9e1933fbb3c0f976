"""A Pulumi program run against mocks: what it registered, and how it all hangs together."""

import asyncio
import contextvars
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks, rpc

PROJECT_NUMBER = "123456789012"
AGENT = f"service-{PROJECT_NUMBER}@gcp-sa-healthcare.iam.gserviceaccount.com"


@dataclass(frozen=True)
class Resource:
    """A registered resource. `parent` and `dependencies` are logical names."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    dependencies: frozenset[str]
    delete_before_replace: bool
    protect: bool = False
    former_types: tuple[str, ...] = ()


@dataclass
class Deployment:
    """Everything that a program registered, in the order in which the engine heard of it."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [resource.name for resource in self.resources]

    def __getitem__(self, name: str) -> Resource:
        return next(resource for resource in self.resources if resource.name == name)

    def of_type(self, type_: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == type_]

    def all_dependencies(self, name: str) -> set[str]:
        """Everything that must exist before, directly or not."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            new = self[waiting.pop()].dependencies - found
            found |= new
            waiting.extend(new)
        return found


_COLLECTIONS = {
    "DicomStore": "dicomStores",
    "FhirStore": "fhirStores",
    "Hl7Store": "hl7V2Stores",
    "ConsentStore": "consentStores",
}


class _Cloud(mocks.Mocks):
    """Fills what Google Cloud computes, by type."""

    def __init__(self, agent: str, tables: list[str]) -> None:
        self._agent = agent
        self._tables = tables

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = args.inputs
        if args.typ == "gcp:projects/serviceIdentity:ServiceIdentity":
            computed = {"email": self._agent, "member": f"serviceAccount:{self._agent}"}
            return f"projects/{inputs['project']}/services/{inputs['service']}", inputs | computed
        if args.typ == "gcp:healthcare/dataset:Dataset":
            parent = f"projects/{inputs['project']}/locations/{inputs['location']}"
            return f"{parent}/datasets/{inputs['name']}", dict(inputs)
        if args.typ == "gcp:monitoring/notificationChannel:NotificationChannel":
            name = f"projects/{inputs['project']}/notificationChannels/1"
            return name, inputs | {"name": name}
        if args.typ == "gcp:serviceaccount/account:Account":
            email = f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
            name = f"projects/{inputs['project']}/serviceAccounts/{email}"
            computed = {"email": email, "member": f"serviceAccount:{email}", "name": name}
            return name, inputs | computed
        if args.typ == "gcp:cloudrunv2/service:Service":
            return f"{args.name}-id", {"uri": f"https://{inputs['name']}.run.app", **inputs}
        if args.typ == "gcp:compute/haVpnGateway:HaVpnGateway":
            interfaces = [{"id": n, "ipAddress": f"203.0.113.{n}"} for n in (0, 1)]
            return f"{args.name}-id", {"vpnInterfaces": interfaces, **inputs}
        if args.typ == "gcp:compute/address:Address":
            return f"{args.name}-id", {"address": "10.128.0.2", **inputs}
        if args.typ == "gcp:compute/globalAddress:GlobalAddress":
            return f"{args.name}-id", {"address": "198.51.100.7", **inputs}
        collection = _COLLECTIONS.get(args.typ.rpartition(":")[2])
        if collection:
            return f"{inputs['dataset']}/{collection}/{inputs['name']}", dict(inputs)
        return f"{args.name}-id", dict(inputs)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[Any]]:
        if args.token == "gcp:bigquery/getTables:getTables":
            tables = [{"tableId": name, "labels": {}} for name in self._tables]
            return {**args.args, "id": "tables", "tables": tables}, []
        if args.token == "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount":
            email = f"bq-{PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com"
            member = f"serviceAccount:{email}"
            return {**args.args, "id": email, "email": email, "member": member}, []
        if args.token == "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess":
            return {
                **args.args,
                "id": "v",
                "name": "v",
                "secretData": f"{args.args['secret']}!",
            }, []
        raise AssertionError(f"the program calls {args.token}: it needs no such function")


class _Monitor(mocks.MockMonitor):
    """Pulumi's mock of the engine, which also writes down parents, dependencies and outputs."""

    def __init__(self, cloud: _Cloud, deployment: Deployment) -> None:
        super().__init__(cloud)
        self._deployment = deployment

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the engine's name)
        if request.type != "pulumi:pulumi:Stack":
            self._deployment.resources.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    inputs=rpc.deserialize_properties(request.object),
                    parent=request.parent.rpartition("::")[2],
                    dependencies=frozenset(urn.rpartition("::")[2] for urn in request.dependencies),
                    delete_before_replace=request.deleteBeforeReplace,
                    protect=request.protect,
                    former_types=tuple(alias.spec.type for alias in request.aliases),
                )
            )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 (the engine's name)
        name = "stack" if "pulumi:pulumi:Stack::" in request.urn else request.urn.split("::")[-1]
        self._deployment.outputs[name] = json_format.MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


def deploy(
    program: Callable[[], object],
    config: dict[str, Any] | None = None,
    *,
    secret: list[str] | None = None,
    agent: str = AGENT,
    stack: str = "test",
    into: Deployment | None = None,
    tables: list[str] | None = None,
) -> Deployment:
    """Run a program as the engine would, with the mocks in its place.

    Args:
        program: What to run; what it returns is ignored.
        config: Full configuration key -> value; lists and maps become JSON, as the engine sends.
        secret: Keys whose values are secrets.
        agent: The address of the Healthcare service agent.
        stack: The stack's name.
        tables: The tables that BigQuery has already.
        into: Where to write what is registered, for programs that fail.
    """
    deployment = Deployment() if into is None else into
    texts = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in (config or {}).items()
    }

    def run_program() -> None:
        program()

    def run_once() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        cloud = _Cloud(agent, tables or [])
        mocks.set_mocks(
            cloud,
            project="gcp-healthcare-dicom",
            stack=stack,
            preview=False,
            monitor=_Monitor(cloud, deployment),
        )
        pulumi.runtime.set_all_config(texts, secret or [])
        pulumi.runtime.settings.ROOT.set(None)
        # A program that failed leaves tasks of its closed event loop behind.
        pulumi.runtime.settings.SETTINGS.outputs.clear()
        deployment.outputs.clear()
        try:
            loop.run_until_complete(pulumi.runtime.run_in_stack(run_program))
        finally:
            loop.close()

    # Pulumi keeps its state in context variables: a context of its own leaves none behind.
    contextvars.copy_context().run(run_once)
    return deployment
