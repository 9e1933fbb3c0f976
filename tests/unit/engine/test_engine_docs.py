"""docs/engine.md says what the code does."""

import re

from engine import gcp_plugin, places, versions
from engine.versions import HOST_PYTHON

TEXT = (places.ROOT / "docs/engine.md").read_text()


def test_the_versions_are_those_in_use() -> None:
    go = ".".join(map(str, versions.MINIMUM_GO))
    for version in (versions.PULUMI, versions.MINIMUM_PULUMI, versions.GCP_PLUGIN, f"Go {go}"):
        assert version in TEXT
    known = {versions.PULUMI, versions.MINIMUM_PULUMI, versions.GCP_PLUGIN}
    assert set(re.findall(r"\b\d+\.\d+\.\d+\b", TEXT)) == known


def test_the_names_are_those_in_use() -> None:
    for name in (HOST_PYTHON, f"{gcp_plugin.FOLDER}.unreachable", gcp_plugin.BINARY, "LAB_DIR"):
        assert f"{name}" in TEXT
    for name in places._private_variables():
        assert f"`{name}`" in TEXT
    assert f"a fixed passphrase, `{places.PASSPHRASE}`" in TEXT
