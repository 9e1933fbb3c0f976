"""The program under the real engine: what it makes, shows, replaces, restores, adopts, refuses."""

import re
from collections.abc import Callable

import pytest

from tests.support.labs import Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

UNCHANGED = 21
"""Resources of the local stack, the stack itself and its components included."""


@pytest.fixture(scope="module")
def deployed(new_stack: Callable[[], Stack]) -> Stack:
    """A deployed stack; each test that changes it continues from the test before."""
    stack = new_stack()
    stack.up()
    return stack


def test_first_up_makes_all_and_the_second_nothing(lab: Lab, stack: Stack) -> None:
    first = stack.up()
    assert f"+ {UNCHANGED} created" in first
    outputs = stack.outputs()
    dataset = f"projects/{stack.project}/locations/us-central1/datasets/dataset1"
    assert outputs["dataset"] == dataset
    assert outputs["dicomStores"] == {
        "dicomstore1": f"{dataset}/dicomStores/dicomstore1",
        "dicomstore2": f"{dataset}/dicomStores/dicomstore2",
    }
    assert outputs["fhirStores"] == {"fhirstore1": f"{dataset}/fhirStores/fhirstore1"}
    assert outputs["hl7v2Stores"] == {"hl7v2store1": f"{dataset}/hl7V2Stores/hl7v2store1"}
    number = outputs["projectNumber"]
    assert re.fullmatch(r"[0-9]{12}", number)
    assert outputs["serviceAgent"] == f"service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    assert outputs["tableUri"] == f"bq://{stack.project}.dataset1.dicomstore1"
    for names in (outputs["dicomStores"], outputs["fhirStores"], outputs["hl7v2Stores"]):
        for name in names.values():
            assert lab.call("GET", f"v1/{name}")["name"] == name
    assert stack.plan() == {}
    assert f"{UNCHANGED} unchanged" in stack.preview("--diff")
    assert f"{UNCHANGED} unchanged" in stack.up("--expect-no-changes")


def test_dependencies_in_the_state_order_a_destroy(deployed: Stack) -> None:
    resources = deployed.resources()
    grants = {urn for urn in resources if "IAMMember" in urn}
    services = {urn for urn in resources if "projects/service:Service::" in urn}
    stores = [urn for urn in resources if re.search(r"Store::healthcare-", urn)]
    assert (len(grants), len(services), len(stores)) == (4, 5, 4)
    for store in stores:
        before: set[str] = set()
        waiting = [store]
        while waiting:
            new = set(resources.get(waiting.pop(), {}).get("dependencies") or []) - before
            before |= new
            waiting.extend(new)
        assert before >= grants | services


def test_a_store_label_shows_as_exactly_that(lab: Lab, deployed: Stack) -> None:
    labelled = {"name": "dicomstore1", "labels": {"team": "imaging"}}
    deployed.configure(dicomStores=[labelled, {"name": "dicomstore2"}])
    assert deployed.plan() == {"healthcare-dicomstore1": "update"}
    diff = deployed.preview("--diff")
    changes = re.findall(r"^\s+[-+~]\s*\S.*$", diff, re.MULTILINE)
    lines = [" ".join(line.split()).replace(" :", ":") for line in changes]
    # The provider changes these two with it, which are secrets.
    derived = [line for line in lines if "effectiveLabels" in line or "pulumiLabels" in line]
    assert len(derived) == 2
    assert all("[secret]" in line for line in derived)
    assert [line for line in lines if line not in derived] == [
        "~ gcp:healthcare/dicomStore:DicomStore: (update)",
        "~ labels: {",
        '+ team: "imaging"',
        "~ 1 to update",
    ]
    deployed.up()
    assert deployed.plan() == {}
    store = lab.call("GET", f"v1/{deployed.outputs()['dicomStores']['dicomstore1']}")
    assert store["labels"]["team"] == "imaging"


def test_refresh_sees_a_store_deleted_by_hand_and_up_restores_it(lab: Lab, deployed: Stack) -> None:
    store = deployed.outputs()["dicomStores"]["dicomstore2"]
    lab.call("DELETE", f"v1/{store}")
    assert re.search(r"- 1 deleted", deployed.change("refresh", "--skip-preview"))
    assert deployed.plan() == {"healthcare-dicomstore2": "create"}
    assert "+ 1 created" in deployed.up()
    assert lab.exists(store)
    assert deployed.plan() == {}


def test_a_new_fhir_version_replaces_the_store_alone(lab: Lab, deployed: Stack) -> None:
    deployed.configure(fhirStores=[{"name": "fhirstore1", "version": "STU3"}])
    assert {name for name, op in deployed.plan().items() if "replace" in op} == {
        "healthcare-fhirstore1"
    }
    deployed.up()
    store = lab.call("GET", f"v1/{deployed.outputs()['fhirStores']['fhirstore1']}")
    assert store["version"] == "STU3"
    assert deployed.plan() == {}


def test_a_renamed_dataset_shows_and_is_a_replacement(lab: Lab, deployed: Stack) -> None:
    old = deployed.outputs()["dataset"]
    deployed.configure(dataset="dataset2")
    changed = {name for name, op in deployed.plan().items() if "replace" in op}
    assert changed == {
        "healthcare",
        "healthcare-dicomstore1",
        "healthcare-dicomstore2",
        "healthcare-fhirstore1",
        "healthcare-hl7v2store1",
    }
    assert '~ name: "dataset1" => "dataset2"' in deployed.preview("--diff")
    assert "+-5 replaced" in deployed.up()
    assert not lab.exists(old)
    assert lab.exists(f"{old.removesuffix('dataset1')}dataset2/dicomStores/dicomstore1")
    assert deployed.plan() == {}


def test_import_adopts_a_store_made_by_hand(lab: Lab, deployed: Stack) -> None:
    outputs = deployed.outputs()
    created = lab.call(
        "POST",
        f"v1/{outputs['dataset']}/dicomStores?dicomStoreId=byhand",
        {"labels": {"origin": "console"}},
    )
    names = [{"name": name} for name in ("dicomstore1", "dicomstore2")]
    deployed.configure(dicomStores=[*names, {"name": "byhand", "labels": {"origin": "console"}}])
    deployed.change(
        "import",
        "gcp:healthcare/dicomStore:DicomStore",
        "healthcare-byhand",
        created["name"],
        "--parent",
        f"parent={deployed.urn('healthcare', 'HealthcareDataset')}",
        "--protect=false",
        "--generate-code=false",
    )
    assert set(deployed.plan().values()) <= {"update"}
    assert "created" not in deployed.up()
    assert deployed.plan() == {}
    assert deployed.outputs()["dicomStores"]["byhand"] == created["name"]
    assert lab.call("GET", f"v1/{created['name']}")["labels"]["origin"] == "console"


def test_a_store_switched_off_goes_alone(lab: Lab, deployed: Stack) -> None:
    store = deployed.outputs()["fhirStores"]["fhirstore1"]
    deployed.configure(fhirStores=[{"name": "fhirstore1", "enabled": False}])
    assert deployed.plan() == {"healthcare-fhirstore1": "delete"}
    deployed.up()
    assert not lab.exists(store)
    assert deployed.outputs()["fhirStores"] == {}


def test_a_role_taken_from_the_list_is_taken_from_the_agent(lab: Lab, deployed: Stack) -> None:
    assert _agents_roles(lab, deployed) == {
        "roles/bigquery.admin",
        "roles/storage.objectAdmin",
        "roles/healthcare.datasetAdmin",
        "roles/healthcare.dicomStoreAdmin",
    }
    roles = ["roles/bigquery.admin", "roles/healthcare.datasetAdmin"]
    deployed.configure(access="explicit", serviceAgentRoles=roles)
    assert deployed.plan() == {
        "service-agent-storage.objectAdmin": "delete",
        "service-agent-healthcare.dicomStoreAdmin": "delete",
    }
    deployed.up()
    assert _agents_roles(lab, deployed) == {
        "roles/bigquery.admin",
        "roles/healthcare.datasetAdmin",
    }


def test_destroy_leaves_nothing_but_the_enabled_services(lab: Lab, deployed: Stack) -> None:
    dataset = deployed.outputs()["dataset"]
    deployed.change("destroy", "--skip-preview")
    assert deployed.resources() == {}
    assert not lab.exists(dataset)
    assert _agents_roles(lab, deployed) == set()
    services = f"v1/projects/{deployed.project}/services?filter=state:ENABLED"
    enabled = {item["name"].rpartition("/")[2] for item in lab.call("GET", services)["services"]}
    assert "healthcare.googleapis.com" in enabled


def test_grants_leave_the_members_of_others_alone(lab: Lab, stack: Stack) -> None:
    policy = f"v1/projects/{stack.project}"
    other = {"role": "roles/bigquery.admin", "members": ["user:someone@example.com"]}
    old = lab.call("POST", f"{policy}:getIamPolicy", {})
    bindings = [*old.get("bindings", []), other]
    lab.call("POST", f"{policy}:setIamPolicy", {"policy": {**old, "bindings": bindings}})
    stack.up()
    stack.change("destroy", "--skip-preview")
    assert other in lab.call("POST", f"{policy}:getIamPolicy", {})["bindings"]


@pytest.mark.parametrize(
    ("config", "texts"),
    [
        ({"locaton": "eu"}, ['gcp-healthcare-dicom:locaton = "eu"', 'Did you mean "location"?']),
        (
            {"location": "us-centrall"},
            ["is not a location of the Cloud Healthcare API", 'Did you mean "us-central1"?'],
        ),
        (
            {"dicomStores": [{"name": "one"}, {"name": "one"}]},
            ['gcp-healthcare-dicom:dicomStores[1].name = "one"', "is the same as"],
        ),
        ({"dicomStores": [{"nme": "one"}]}, ["dicomStores[0].name", 'Did you mean "name"?']),
        ({"bigqueryDeleteContents": "maybe"}, ["bigqueryDeleteContents", "of type 'boolean'"]),
        ({"dicomStores": "one"}, ["dicomStores", "of type 'array<object>'"]),
    ],
    ids=["unknown-key", "location", "twice", "unknown-field", "boolean", "list"],
)
def test_bad_settings_end_before_any_resource(
    stack: Stack, config: dict[str, object], texts: list[str]
) -> None:
    stack.configure(**config)
    done = stack.pulumi("up", "--yes", "--skip-preview", "--stack", stack.name, check=False)
    assert done.returncode != 0
    for text in texts:
        assert text in done.stdout + done.stderr
    for noise in ("Traceback", "unhandled error"):
        assert noise not in done.stdout + done.stderr
    assert stack.resources() == {}


def test_a_stack_without_a_project_says_so(stack: Stack) -> None:
    stack.configure({"gcp:project": None})
    text = stack.preview(check=False)
    assert "gcp:project" in text
    assert "pulumi config set gcp:project" in text


def _agents_roles(lab: Lab, stack: Stack) -> set[str]:
    """The roles that the Healthcare service agent has on the stack's project."""
    policy = lab.call("POST", f"v1/projects/{stack.project}:getIamPolicy", {})
    return {
        binding["role"]
        for binding in policy.get("bindings", [])
        if any("gcp-sa-healthcare" in member for member in binding["members"])
    }
