"""A stack that an earlier version deployed: today's program finds nothing to do."""

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.labs import NAMESPACE, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

FIXTURE = Path(__file__).parents[1] / "data" / "stack-388b2b7"
# The file that was shipped with that commit, but for `allowNullHeader`: the real provider refuses a
# parser version alone, so that such a stack could exist on the local Google Cloud only.
CONFIG = {
    "gcp:project": "local-project",
    f"{NAMESPACE}:bigqueryDeleteContents": "true",
    f"{NAMESPACE}:fhirStores": [{"name": "fhirstore1", "enabled": True, "version": "R4"}],
    f"{NAMESPACE}:hl7v2Stores": [
        {
            "name": "hl7v2store1",
            "enabled": True,
            "parserConfig": {"version": "V3", "allowNullHeader": False},
        }
    ],
}
SALT = "v1:dvmkugf00T0=:v1:38MwLcbvtjsMII8S:LmQAIDuiQLVfXa8XnJeQcn/6j0oySg=="


@pytest.fixture(scope="module")
def old_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack on a local Google Cloud that opened its state."""
    lab = Lab(tmp_path_factory.mktemp("old"))
    emulator = lab.folder / "emulator"
    for file in (FIXTURE / "emulator").rglob("*.gz"):
        target = emulator / file.relative_to(FIXTURE / "emulator").with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.decompress(file.read_bytes()))
    stacks = lab.folder / "pulumi" / "state" / ".pulumi" / "stacks" / NAMESPACE
    stacks.mkdir(parents=True)
    shutil.copy(FIXTURE / "local.json", stacks / "local.json")
    (stacks.parents[1] / "meta.yaml").write_text("version: 1\n")
    stack = Stack(lab, "local", "local-project")
    stack.file.write_text(f"encryptionsalt: {SALT}\n")
    stack.configure(CONFIG)
    try:
        lab.start()
        yield stack
    finally:
        lab.stop()


def test_a_preview_and_a_refresh_show_nothing_to_do(old_stack: Stack) -> None:
    assert old_stack.plan() == {}
    old_stack.change("refresh")
    assert old_stack.plan() == {}


def test_what_it_deployed_is_there(old_stack: Stack) -> None:
    resources = old_stack.resources()
    types = sorted(urn.split("::")[-2].rpartition(":")[2] for urn in resources)
    assert types.count("DicomStore") == 2
    dataset = "projects/local-project/locations/us-central1/datasets/dataset1"
    for name in ("dicomStores/dicomstore1", "fhirStores/fhirstore1", "hl7V2Stores/hl7v2store1"):
        assert old_stack.lab.exists(f"{dataset}/{name}")
    table = old_stack.lab.call("GET", "bigquery/v2/projects/local-project/datasets/dataset1")
    assert table["datasetReference"]["datasetId"] == "dataset1"
