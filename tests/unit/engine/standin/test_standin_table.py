"""The table against the installed SDK, which is generated from the real plugin's schema."""

import ast
import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.pulumi_proto import provider_pb2
from engine.standin import VERSION, registry
from engine.standin.config import SERVICES, SETTINGS
from engine.standin.properties import Properties
from engine.standin.resource import ResourceType
from engine.standin.schema import markdown
from tests.support.plugin import Engine

ROOT = Path(__file__).parents[4]
TYPES = list(registry.resource_types())


SHARED = {
    ("notificationConfig", "FhirStoreNotificationConfigArgs"): {
        "sendFullResource",
        "sendPreviousResourceOnDelete",
    }
}
"""A class of two forms: the fields that the provider does not know in the single one."""


def _sdk() -> Path:
    spec = find_spec("pulumi_gcp")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _classes(path: Path) -> dict[str, ast.ClassDef]:
    tree = ast.parse(path.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _getters(node: ast.ClassDef) -> dict[str, str]:
    """Pulumi's name of each property -> its annotation in the SDK."""
    return dict(_properties(node))


def _properties(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for function in node.body:
        if not isinstance(function, ast.FunctionDef) or function.returns is None:
            continue
        for decorator in function.decorator_list:
            text = ast.unparse(decorator)
            if text.startswith("pulumi.getter"):
                name = re.search(r"name='(\w+)'", text)
                yield name[1] if name else function.name, ast.unparse(function.returns)


def _module(type_: ResourceType) -> Path:
    package, _, name = type_.pulumi_type.removeprefix("gcp:").partition("/")
    words = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name.rpartition(":")[2]).lower()
    module = re.sub(r"(iam|ssl|url|vpn)(?=member|audit|policy|map|tunnel)", r"\1_", words)
    return _sdk() / package / f"{module}.py"


def _class_name(type_: ResourceType) -> str:
    return type_.pulumi_type.rpartition(":")[2]


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.pulumi_type)
def test_a_row_has_the_sdks_properties(type_: ResourceType) -> None:
    classes = _classes(_module(type_))
    inputs = _getters(classes[f"{_class_name(type_)}Args"])
    outputs = _getters(classes[_class_name(type_)])

    ours = {name for name, prop in type_.properties.items() if not prop.output}
    assert ours | set(type_.uncovered) == inputs.keys()
    assert type_.properties.keys() | set(type_.uncovered) == outputs.keys()
    for name, prop in type_.properties.items():
        if not prop.output:
            required = "Optional" not in inputs[name]
            assert prop.required == required, f"{name}: {inputs[name]}"


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.pulumi_type)
def test_a_row_has_the_sdks_types(type_: ResourceType) -> None:
    module = _module(type_)
    shapes = _classes(module.parent / "_inputs.py")
    inputs = _getters(_classes(module)[f"{_class_name(type_)}Args"])
    _compare_types(type_.properties, inputs, shapes)


def _compare_types(
    ours: Properties, theirs: dict[str, str], shapes: dict[str, ast.ClassDef]
) -> None:
    for name, prop in ours.items():
        if prop.output:
            continue
        annotation = theirs[name]
        assert prop.type == _type_of(annotation), f"{name}: {annotation}"
        nested = re.search(r"'(\w+Args)'", annotation)
        assert bool(prop.fields) == bool(nested), name
        if nested:
            fields = _getters(shapes[nested[1]])
            assert fields.keys() - prop.fields.keys() == SHARED.get((name, nested[1]), set())
            assert prop.fields.keys() <= fields.keys(), name
            _compare_types(prop.fields, fields, shapes)


def _type_of(annotation: str) -> str:
    if "Mapping" in annotation:
        return "map"
    if "Sequence" in annotation:
        return "list"
    if "Args'" in annotation:
        return "object"
    plain = {
        "_builtins.str": "string",
        "_builtins.bool": "boolean",
        "_builtins.int": "integer",
        "_builtins.float": "number",
    }
    return next(name for type_, name in plain.items() if type_ in annotation)


def test_the_provider_has_the_sdks_settings() -> None:
    names = _getters(_classes(_sdk() / "provider.py")["ProviderArgs"])

    assert {name for name in names if not name.endswith("CustomEndpoint")} == SETTINGS
    assert {setting for setting, _ in SERVICES.values()} < names.keys()


def test_the_version_is_the_sdks() -> None:
    plugin = json.loads((_sdk() / "pulumi-plugin.json").read_text())

    assert plugin["version"] == VERSION


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.pulumi_type)
def test_every_row_can_be_found(type_: ResourceType) -> None:
    assert registry.find(type_.pulumi_type) is type_
    assert type_.operations.service in SERVICES


def test_the_documentation_holds_the_table() -> None:
    """Renew it with `python -m engine.standin.schema`."""
    text = (ROOT / "docs/stand-in.md").read_text()

    assert markdown() in text


def test_the_schema_reports_every_row(engine: Engine) -> None:
    schema = json.loads(engine.stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)

    assert (schema["name"], schema["version"]) == ("gcp", VERSION)
    assert schema["resources"].keys() == {type_.pulumi_type for type_ in TYPES}
    dataset = schema["resources"]["gcp:healthcare/dataset:Dataset"]
    assert dataset["requiredInputs"] == ["location"]
    assert "selfLink" not in dataset["inputProperties"]
