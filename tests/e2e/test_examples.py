"""Every example, brought up on the local Google Cloud, looked at, and taken down."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pydicom
import pytest
import yaml
from dicomweb_client.api import DICOMwebClient
from pydicom.data import get_testdata_file

from tests.support.labs import ROOT, Lab
from tests.support.programs import Program

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

_NUMBERS = count(1)
EXAMPLES = ROOT / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/__main__.py"))
MakeExample = Callable[[str], Program]


@pytest.fixture
def example(lab: Lab, tmp_path: Path) -> MakeExample:
    """Copies an example and brings it up."""

    def make(name: str) -> Program:
        folder = tmp_path / "examples" / name
        (tmp_path / ".venv").symlink_to(ROOT / ".venv")
        program = Program.copy_of(lab, EXAMPLES / name, folder, f"local-{name}{next(_NUMBERS)}")
        program.change("up")
        return program

    return make


@pytest.mark.parametrize("name", NAMES)
def test_an_example_comes_up_stays_and_goes(example: MakeExample, name: str) -> None:
    program = example(name)
    datasets = [
        resource["id"]
        for resource in program.resources()
        if resource["type"] == "gcp:healthcare/dataset:Dataset"
    ]
    assert datasets
    assert all(program.lab.exists(dataset) for dataset in datasets)
    assert program.plan() == {}
    program.change("destroy")
    assert program.resources() == []
    assert not any(program.lab.exists(dataset) for dataset in datasets)


def test_researchers_get_copies_that_name_no_one(example: MakeExample) -> None:
    program = example("research")
    outputs = program.outputs()
    originals, copies = outputs["originals"]["originals"], outputs["copies"]["copies"]
    root = program.lab.environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
    stores = [DICOMwebClient(f"{root}v1/{name}/dicomWeb") for name in (originals, copies)]
    original = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    stores[0].store_instances([original])
    script = "examples/research/deidentify.py"
    refused = program.lab.python(script, "originals", copies, "--stack", "local", check=False)
    assert refused.returncode == 2
    assert "'originals' is not the full name of a DICOM store." in refused.stderr
    done = program.lab.python(script, originals, copies, "--stack", "local", "--json")
    assert json.loads(done.stdout)["success"] == 1
    [found] = stores[1].search_for_instances(search_filters={}, fields=["PatientID", "PatientName"])
    assert found["00080018"]["Value"] != [original.SOPInstanceUID]
    assert found["00100020"]["Value"] == ["ANONYMIZED"]
    assert "Value" not in found.get("00100010", {})


def test_every_example_is_listed() -> None:
    page = (EXAMPLES / "README.md").read_text()
    folders = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    assert [name for name in folders if f"[{name}]({name})" not in page] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_has_a_local_stack_of_its_own(name: str) -> None:
    stack = yaml.safe_load((EXAMPLES / name / "Pulumi.local.yaml").read_text())
    assert stack["config"]["gcp:project"] == f"local-{name}"


def test_sites_are_thirty_and_closed_to_each_other(example: MakeExample) -> None:
    program = example("many-sites")
    stores = program.outputs()["dicomStores"]
    assert len(stores) == 30
    members = {
        resource["inputs"]["member"]
        for resource in program.resources()
        if resource["type"].endswith(":DicomStoreIamMember")
    }
    assert members == {f"group:{site}@example.com" for site in stores}
    policy = program.lab.call("GET", f"v1/{stores['zug']}:getIamPolicy")
    assert policy["bindings"] == [
        {"role": "roles/healthcare.dicomEditor", "members": ["group:zug@example.com"]}
    ]
