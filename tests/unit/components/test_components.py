"""Each component alone, as another program would use it."""

from collections.abc import Callable

import pulumi
import pytest
from pulumi_gcp import projects

from components.base import ArgumentError
from components.bigquery_dataset import BigQueryDataset, BigQueryDatasetArgs
from components.encryption_key import EncryptionKeyArgs
from components.healthcare_dataset import HealthcareDataset, HealthcareDatasetArgs
from components.project_services import ProjectServices, ProjectServicesArgs
from components.service_agent_roles import ServiceAgentRoles, ServiceAgentRolesArgs
from components.stores import DicomStoreArgs, FhirStoreArgs, Hl7v2StoreArgs
from tests.unit.components.deployment import AGENT, PROJECT_NUMBER, deploy

MEMBER = f"serviceAccount:{AGENT}"


def dataset_args(**changes: object) -> HealthcareDatasetArgs:
    given: dict[str, object] = {"project": "my-project", "location": "eu", "dataset": "ward-7"}
    return HealthcareDatasetArgs(**(given | changes))  # type: ignore[arg-type]


def test_services_are_enabled_and_stay_enabled() -> None:
    deployed = deploy(
        lambda: ProjectServices(
            "services", ProjectServicesArgs("my-project", ["healthcare.googleapis.com"])
        )
    )
    assert deployed["services-healthcare"].inputs == {
        "project": "my-project",
        "service": "healthcare.googleapis.com",
        "disableOnDestroy": False,
    }
    identity = deployed["services-healthcare-agent"]
    assert identity.inputs == {"project": "my-project", "service": "healthcare.googleapis.com"}
    assert identity.dependencies == {"services-healthcare"}
    assert deployed.outputs["services"] == {
        "serviceAgentEmail": AGENT,
        "serviceAgentMember": MEMBER,
        "projectNumber": PROJECT_NUMBER,
    }


def test_an_agent_with_another_address_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r'"someone@example\.com" is not the address'):
        deploy(
            lambda: pulumi.export(
                "number",
                ProjectServices("services", ProjectServicesArgs("my-project")).project_number,
            ),
            agent="someone@example.com",
        )


def test_grants_are_single_members() -> None:
    custom = "projects/my-project/roles/importer"
    deployed = deploy(
        lambda: ServiceAgentRoles(
            "agent",
            ServiceAgentRolesArgs("my-project", MEMBER, ["roles/storage.objectViewer", custom]),
        )
    )
    assert deployed["agent-storage.objectViewer"].type == "gcp:projects/iAMMember:IAMMember"
    assert deployed["agent-storage.objectViewer"].inputs == {
        "project": "my-project",
        "role": "roles/storage.objectViewer",
        "member": MEMBER,
    }
    assert deployed["agent-projects-my-project-roles-importer"].inputs["role"] == custom
    assert deployed.outputs["agent"] == {"roles": ["roles/storage.objectViewer", custom]}


def test_no_roles_make_no_grants() -> None:
    deployed = deploy(
        lambda: ServiceAgentRoles("agent", ServiceAgentRolesArgs("my-project", MEMBER, []))
    )
    assert deployed.names == ["agent"]
    assert deployed.outputs["agent"] == {"roles": []}


def test_a_dataset_with_stores_of_every_type() -> None:
    args = dataset_args(
        time_zone="Europe/Zurich",
        dicom_stores=[DicomStoreArgs("ct", {"team": "imaging"})],
        fhir_stores=[FhirStoreArgs("records", version="STU3", enable_update_create=True)],
        hl7v2_stores=[
            Hl7v2StoreArgs(
                "feed",
                reject_duplicate_message=True,
                parser_config={"version": "V3", "allow_null_header": True},
            )
        ],
    )
    deployed = deploy(lambda: HealthcareDataset("clinic", args))
    [dataset] = deployed.of_type("gcp:healthcare/dataset:Dataset")
    name = "projects/my-project/locations/eu/datasets/ward-7"
    assert dataset.inputs == {
        "project": "my-project",
        "location": "eu",
        "name": "ward-7",
        "timeZone": "Europe/Zurich",
    }
    assert deployed["clinic-ct"].inputs == {
        "dataset": name,
        "name": "ct",
        "labels": {"team": "imaging"},
    }
    assert deployed["clinic-records"].inputs == {
        "dataset": name,
        "name": "records",
        "labels": {},
        "version": "STU3",
        "enableUpdateCreate": True,
    }
    assert deployed["clinic-feed"].inputs == {
        "dataset": name,
        "name": "feed",
        "labels": {},
        "rejectDuplicateMessage": True,
        "parserConfig": {"version": "V3", "allowNullHeader": True},
    }
    assert deployed.outputs["clinic"] == {
        "dataset": name,
        "dicomStores": {"ct": f"{name}/dicomStores/ct"},
        "fhirStores": {"records": f"{name}/fhirStores/records"},
        "hl7v2Stores": {"feed": f"{name}/hl7V2Stores/feed"},
        "consentStores": {},
    }


def test_stores_are_deleted_before_they_are_replaced() -> None:
    stores = [DicomStoreArgs("ct")]
    deployed = deploy(lambda: HealthcareDataset("clinic", dataset_args(dicom_stores=stores)))
    assert deployed["clinic-ct"].delete_before_replace
    [dataset] = deployed.of_type("gcp:healthcare/dataset:Dataset")
    assert not dataset.delete_before_replace


def test_one_stack_has_two_datasets_with_stores_of_the_same_names() -> None:
    def program() -> None:
        for name in ("identified", "research"):
            stores = [DicomStoreArgs("ct")]
            HealthcareDataset(name, dataset_args(dataset=name, dicom_stores=stores))

    deployed = deploy(program)
    assert {"identified-ct", "research-ct"} <= set(deployed.names)


@pytest.mark.parametrize(("given", "expected"), [("eu", "EU"), ("us", "US"), ("me-west1",) * 2])
def test_a_bigquery_dataset_is_where_the_data_is(given: str, expected: str) -> None:
    args = BigQueryDatasetArgs("my-project", "imaging", given, "DICOM", True, {"team": "imaging"})
    deployed = deploy(lambda: BigQueryDataset("warehouse", args))
    component = deployed.resources[0]
    assert component.type == "gcp-healthcare-dicom:index:BigQueryDataset"
    assert component.former_types == ("gcp-healthcare-dicom:index:Warehouse",)
    [dataset] = deployed.of_type("gcp:bigquery/dataset:Dataset")
    assert dataset.inputs == {
        "project": "my-project",
        "datasetId": "imaging",
        "location": expected,
        "description": "DICOM",
        "deleteContentsOnDestroy": True,
        "labels": {"team": "imaging"},
    }
    assert dataset.delete_before_replace
    assert deployed.outputs["warehouse"] == {"datasetId": "imaging", "location": expected}


def _dataset(opts: pulumi.ResourceOptions) -> object:
    stores = [DicomStoreArgs("ct")]
    return HealthcareDataset("it", dataset_args(dicom_stores=stores), opts)


COMPONENTS: dict[str, Callable[[pulumi.ResourceOptions], object]] = {
    "ProjectServices": lambda opts: ProjectServices("it", ProjectServicesArgs("my-project"), opts),
    "ServiceAgentRoles": lambda opts: ServiceAgentRoles(
        "it", ServiceAgentRolesArgs("my-project", MEMBER, ["roles/viewer"]), opts
    ),
    "HealthcareDataset": _dataset,
    "BigQueryDataset": lambda opts: BigQueryDataset(
        "it", BigQueryDatasetArgs("my-project", "d", "us"), opts
    ),
}


@pytest.mark.parametrize("component_name", COMPONENTS)
def test_children_belong_to_the_component_and_wait_for_what_it_waits_for(
    component_name: str,
) -> None:
    def program() -> None:
        before = projects.Service("before", service="kms.googleapis.com")
        COMPONENTS[component_name](pulumi.ResourceOptions(depends_on=[before], protect=True))

    deployed = deploy(program)
    [component] = deployed.of_type(f"gcp-healthcare-dicom:index:{component_name}")
    assert component.parent == "gcp-healthcare-dicom-test"
    children = [child for child in deployed.resources if child.parent == "it"]
    assert children
    for child in children:
        assert "before" in deployed.all_dependencies(child.name)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: dataset_args(location="eu-west1"), 'location: "eu-west1" is not a location'),
        (lambda: dataset_args(dataset="a b"), 'dataset: "a b" is not an id'),
        (lambda: dataset_args(project="12345"), 'project: "12345" is a project number'),
        (lambda: dataset_args(time_zone="CEST"), 'time_zone: "CEST" is not a time zone'),
        (
            lambda: dataset_args(dicom_stores=[DicomStoreArgs("ct"), DicomStoreArgs("ct")]),
            'dicom_stores: two stores are named "ct"',
        ),
        (lambda: DicomStoreArgs("c.t"), 'DicomStoreArgs.name: "c.t" is not an id of a DICOM store'),
        (lambda: DicomStoreArgs("ct", {"Team": "a"}), '"Team" is not the key of a label'),
        (lambda: DicomStoreArgs("ct", {"team": "A"}), '"A" is not the value of a label'),
        (
            lambda: DicomStoreArgs("ct", {f"key{number}": "" for number in range(65)}),
            '"ct": 65 labels, of 64 allowed',
        ),
        (lambda: FhirStoreArgs("f", version="R7"), 'version: "R7" is not a FHIR version'),
        (lambda: EncryptionKeyArgs({}), "give kms_key_name for a key that exists, or project"),
        (
            lambda: BigQueryDatasetArgs("my-project", "a-b", "us"),
            '"a-b" is not an id of a BigQuery',
        ),
        (
            lambda: ProjectServicesArgs("my-project", ["healthcare"]),
            '"healthcare" is not the name of a service. Did you mean "healthcare.googleapis.com"?',
        ),
        (
            lambda: ProjectServicesArgs("my-project", ["kms.googleapis.com"] * 2),
            '"kms.googleapis.com" is given twice',
        ),
        (
            lambda: ServiceAgentRolesArgs("my-project", MEMBER, ["roles/viewer"] * 2),
            '"roles/viewer" is given twice',
        ),
        (
            lambda: ServiceAgentRolesArgs("my-project", "someone", []),
            '"someone" is not an IAM member',
        ),
    ],
)
def test_bad_arguments_are_refused_before_any_resource(
    make: Callable[[], object], complaint: str
) -> None:
    with pytest.raises(ArgumentError) as refused:
        make()
    assert complaint in str(refused.value)


def test_arguments_that_come_out_of_resources_are_taken_as_they_are() -> None:
    def program() -> None:
        project = projects.Service("s", service="healthcare.googleapis.com", project="p").project
        HealthcareDataset("clinic", dataset_args(project=project))

    [dataset] = deploy(program).of_type("gcp:healthcare/dataset:Dataset")
    assert dataset.inputs["project"] == "p"
