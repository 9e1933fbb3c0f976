"""The pack as the engine sees it: a process of its own environment, spoken to over gRPC."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policy.environment import ENVIRONMENT
from policy.model import UNKNOWN, Resource
from tests.support.channels import channel_to

PACK = ENVIRONMENT.folder
_UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes a text that a preview can't know."""
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_MANDATORY = analyzer_pb2.EnforcementLevel.Value("MANDATORY")


def secret(value: Any) -> dict[str, Any]:
    """How the engine writes a secret."""
    return {_SIGNATURE: _SECRET, "value": value}


@dataclass(frozen=True)
class Pack:
    """A running pack."""

    stub: analyzer_pb2_grpc.AnalyzerStub

    def configure(self, name: str, config: Mapping[str, Any]) -> None:
        """Configure one policy; all others have their defaults."""
        given = analyzer_pb2.PolicyConfig(enforcementLevel=_MANDATORY, properties=_struct(config))
        self.stub.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={name: given}))

    def analyze(self, resource: Resource) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """The pack's report on the inputs of one resource."""
        request = analyzer_pb2.AnalyzeRequest(
            type=resource.type,
            properties=_struct(resource.props),
            urn=resource.urn,
            name=resource.name,
            options=_options(resource),
            provider=_provider(resource),
        )
        return list(self.stub.Analyze(request).diagnostics)

    def analyze_stack(self, resources: Sequence[Resource]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
        """The pack's report on the outputs of all resources together."""
        request = analyzer_pb2.AnalyzeStackRequest(
            resources=[
                analyzer_pb2.AnalyzerResource(
                    type=resource.type,
                    properties=_struct(resource.props),
                    urn=resource.urn,
                    name=resource.name,
                    options=_options(resource),
                    provider=_provider(resource),
                    propertyDependencies={
                        key: analyzer_pb2.AnalyzerPropertyDependencies(
                            urns=[source.urn for source in sources]
                        )
                        for key, sources in resource.sources.items()
                    },
                )
                for resource in resources
            ]
        )
        return list(self.stub.AnalyzeStack(request).diagnostics)


@contextmanager
def running(folder: Path = PACK) -> Iterator[Pack]:
    """Start the pack as a language host does, from a folder that need not be the repository's."""
    interpreter = ENVIRONMENT.ensure()
    # Whether Python buffers is the host's choice; the pack has to do without.
    plain = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [str(interpreter), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=plain,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            assert process.stderr is not None
            raise AssertionError(f"the pack does not start:\n{process.stderr.read()}")
        with channel_to(f"127.0.0.1:{port}") as channel:
            yield Pack(analyzer_pb2_grpc.AnalyzerStub(channel))
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def _struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(_written(props), struct_pb2.Struct())


def _written(value: Any) -> Any:
    if value is UNKNOWN:
        return _UNKNOWN_TEXT
    if isinstance(value, Mapping):
        return {key: _written(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_written(item) for item in value]
    return value


def _options(resource: Resource) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect)


def _provider(resource: Resource) -> analyzer_pb2.AnalyzerProviderResource:
    return analyzer_pb2.AnalyzerProviderResource(
        type="pulumi:providers:gcp",
        properties=_struct(resource.provider),
        urn="urn:pulumi:s::p::pulumi:providers:gcp::default",
        name="default",
    )
