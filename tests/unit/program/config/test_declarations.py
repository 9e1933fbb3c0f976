"""One truth in three places: the settings, Pulumi.yaml and docs/configuration.md."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from program import config as settings
from program.config import Settings, reference
from program.config.errors import SettingsError

ROOT = Path(__file__).parents[4]
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
DOCS = (ROOT / "docs" / "configuration.md").read_text()
SCHEMA: dict[str, Any] = Settings.model_json_schema(by_alias=True)["properties"]
OWN_KEYS = [key for key in SCHEMA if ":" not in key]


def test_the_project_has_the_settings_namespace() -> None:
    assert PROJECT["name"] == settings.NAMESPACE
    assert PROJECT["runtime"]["name"] == "python"
    assert PROJECT["runtime"]["options"]["virtualenv"] == ".venv"


def test_pulumi_yaml_declares_exactly_the_settings() -> None:
    assert list(PROJECT["config"]) == OWN_KEYS


@pytest.mark.parametrize("key", OWN_KEYS)
def test_pulumi_yaml_declares_type_default_and_description(key: str) -> None:
    declared = PROJECT["config"][key]
    assert declared["type"] == SCHEMA[key].get("type", "object")
    assert declared["description"] == SCHEMA[key]["description"]
    if declared["type"] == "array":
        assert declared["items"] == {"type": SCHEMA[key]["items"].get("type", "object")}
    values = {f"{settings.NAMESPACE}:{key}": _as_the_engine_sends(declared["default"])}
    parsed = settings.parse({"gcp:project": "local-project", **values})
    assert parsed == settings.parse({"gcp:project": "local-project"})


def _as_the_engine_sends(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("stack", ["local", "dev"])
def test_the_stack_files_can_be_used(stack: str) -> None:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    config["gcp:project"] = "my-project"
    texts = {key: _as_the_engine_sends(value) for key, value in config.items()}
    lab = settings.parse(texts, stack=stack)
    assert [store.name for store in lab.dicom_stores] == ["dicomstore1", "dicomstore2"]
    assert [store.name for store in lab.fhir_stores] == ["fhirstore1"]
    assert [store.name for store in lab.hl7v2_stores] == ["hl7v2store1"]
    assert lab.bigquery_delete_contents
    assert all(key in PROJECT["config"] for key in _own(config))


def _own(config: dict[str, Any]) -> list[str]:
    prefix = f"{settings.NAMESPACE}:"
    return [key.removeprefix(prefix) for key in config if key.startswith(prefix)]


def test_the_dev_stack_is_refused_until_its_project_is_edited() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    texts = {key: _as_the_engine_sends(value) for key, value in config.items()}
    with pytest.raises(SettingsError) as refused:
        settings.parse(texts)
    assert [problem.key for problem in refused.value.errors] == ["gcp:project"]


def test_the_local_stack_is_on_the_local_project_with_all_its_stores() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())["config"]
    assert config["gcp:project"] == "local-project"
    for store_type in ("fhirStores", "hl7v2Stores"):
        assert all(store["enabled"] for store in config[f"{settings.NAMESPACE}:{store_type}"])


def test_the_reference_is_made_from_the_settings() -> None:
    assert reference.written(DOCS) == DOCS
    project = (ROOT / "Pulumi.yaml").read_text()
    assert reference.declared(project) == project


def test_the_reference_names_every_key_of_every_object() -> None:
    rows = set(re.findall(r"^\| `([^`]+)` \|", DOCS, re.MULTILINE))
    definitions = Settings.model_json_schema(by_alias=True)["$defs"].values()
    keys = {key for item in definitions for key in item["properties"]} | set(SCHEMA)
    assert len(keys) > 90
    assert keys <= rows
    links = set(re.findall(r"\]\(#(\w+)\)", DOCS))
    headings = {line.removeprefix("### ").lower() for line in re.findall(r"^### \w+$", DOCS, re.M)}
    assert links <= headings


def test_the_examples_of_the_documentation_can_be_used() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert len(examples) >= 6
    shown: set[str] = set()
    for example in examples:
        config = {"gcp:project": "local-project", **yaml.safe_load(example)["config"]}
        settings.parse({key: _as_the_engine_sends(value) for key, value in config.items()})
        shown |= set(_own(config))
    assert shown == set(OWN_KEYS)
