"""The messages of Pulumi's plugin protocol, without the SDK around them.

`import pulumi` costs more than half a second, which every start of the stand-in or of the language
host would pay; the generated messages need none of it. When the SDK is not loaded yet, its packages
are registered bare (a name and a folder), so that the messages import alone. Processes that import
this never use the SDK.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def _register_bare_packages() -> None:
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise ImportError("the Python package `pulumi` is missing: run `make setup`")
    folder = Path(spec.origin).parent
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package


_register_bare_packages()

from pulumi.runtime.proto import (  # noqa: E402
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

__all__ = [
    "language_pb2",
    "language_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
]
