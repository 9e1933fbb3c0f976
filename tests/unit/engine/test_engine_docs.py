"""docs/engine.md says what the code does."""

import re

from engine import gcp_plugin, stack_environment, versions
from engine.versions import HOST_PYTHON

TEXT = (stack_environment.ROOT / "docs/engine.md").read_text()


def test_the_versions_are_those_in_use() -> None:
    go = ".".join(map(str, versions.MINIMUM_GO))
    for version in (versions.PULUMI, versions.MINIMUM_PULUMI, versions.GCP_PLUGIN, f"Go {go}"):
        assert version in TEXT
    known = {versions.PULUMI, versions.MINIMUM_PULUMI, versions.GCP_PLUGIN}
    assert set(re.findall(r"\b\d+\.\d+\.\d+\b", TEXT)) == known


def test_the_names_are_those_in_use() -> None:
    for name in (HOST_PYTHON, f"{gcp_plugin.FOLDER}.unreachable", gcp_plugin.BINARY, "LAB_DIR"):
        assert f"{name}" in TEXT
    for name in stack_environment._local_state_variables():
        assert f"`{name}`" in TEXT
    assert f"a fixed passphrase, `{stack_environment.PASSPHRASE}`" in TEXT
