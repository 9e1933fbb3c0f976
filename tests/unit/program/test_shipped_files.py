"""The shipped stack files and examples under the real provider's constraints, in process.

What `enabled: false` switches off is switched on: a user who does so must not be refused.
"""

import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.standin import registry
from engine.standin.properties import Naming
from engine.standin.values import from_struct, to_struct
from program.config.loading import NAMESPACE
from tests.unit.components.deployment import Deployment, deploy

ROOT = Path(__file__).parents[3]
STACK_FILES = sorted(
    path
    for path in (*ROOT.glob("Pulumi.*.yaml"), *ROOT.glob("examples/*/Pulumi.*.yaml"))
    if path.name in ("Pulumi.dev.yaml", "Pulumi.local.yaml", "Pulumi.local-simple.yaml")
)
PROGRAMS = sorted(ROOT.glob("examples/*/__main__.py"))


def program_of(file: Path) -> Path:
    """The program that a stack file configures: that of its folder, or the project's own."""
    own = file.parent / "__main__.py"
    return own if own.exists() else ROOT / "__main__.py"


def switched_on(value: Any) -> Any:
    """A configuration with everything enabled."""
    if isinstance(value, dict):
        return {key: True if key == "enabled" else switched_on(one) for key, one in value.items()}
    return [switched_on(one) for one in value] if isinstance(value, list) else value


def deployed(file: Path) -> Deployment:
    program = program_of(file)
    declared = yaml.safe_load((program.parent / "Pulumi.yaml").read_text()).get("config", {})
    defaults = {f"{NAMESPACE}:{key}": one["default"] for key, one in declared.items()}
    config = switched_on(yaml.safe_load(file.read_text())["config"])
    return deploy(
        lambda: runpy.run_path(str(program), run_name="__main__"),
        {**defaults, **config, "gcp:project": "my-project"},
    )


def refusals(deployment: Deployment) -> list[str]:
    found = []
    for resource in deployment.resources:
        type_ = registry.find(resource.type)
        assert type_ is not None or not resource.type.startswith("gcp:"), resource.type
        if type_ is not None:
            inputs = from_struct(to_struct(resource.inputs))
            _, failures = type_.check(inputs, {}, Naming(logical=resource.name))
            found += [f"{resource.name}.{one.path}: {one.reason}" for one in failures]
    return found


@pytest.mark.parametrize("file", STACK_FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_provider_takes_every_resource_of_a_stack_file(file: Path) -> None:
    deployment = deployed(file)
    assert deployment.of_type("gcp:healthcare/dataset:Dataset")
    assert refusals(deployment) == []


def test_every_example_has_a_stack_file() -> None:
    assert {program_of(file) for file in STACK_FILES} == {ROOT / "__main__.py", *PROGRAMS}


def test_a_resource_that_the_provider_refuses_is_found() -> None:
    deployment = deployed(ROOT / "Pulumi.dev.yaml")
    [store] = deployment.of_type("gcp:healthcare/hl7Store:Hl7Store")
    store.inputs["parserConfig"] = {"version": "V3"}
    texts = refusals(deployment)
    assert len(texts) == 2
    assert all("one of `parser_config.0.allow_null_header," in text for text in texts)
