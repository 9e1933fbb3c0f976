"""The gateway's resources: who gets through to it, and what its account may."""

import json
from typing import Any

import pytest

from components.base import ArgumentError
from components.gateway.arguments import GatewayArgs, GatewayStoreArgs, OidcArgs
from components.gateway.gateway import Gateway
from engine.standin import provider_schema
from tests.unit.components.deployment import Deployment, deploy
from workloads.gateway import settings
from workloads.gateway.paths import Right
from workloads.gateway.roles import Caller

DATASET = "projects/my-project/locations/us-central1/datasets/d"
DICOM, FHIR = f"{DATASET}/dicomStores/ct", f"{DATASET}/fhirStores/f"
ANA, BO = "user:ana@example.org", "user:bo@example.org"
AGENT = "serviceAccount:service-7@gcp-sa-iap.iam.gserviceaccount.com"
OIDC = OidcArgs(
    issuer="https://login.example.org",
    audience="gateway",
    keys_url="https://login.example.org/keys",
)
STORES = (
    GatewayStoreArgs(name="ct", dicom_store=DICOM, readers=[BO], editors=[ANA]),
    GatewayStoreArgs(name="f", fhir_store=FHIR, readers=["domain:example.org"]),
)
SERVICE = "gcp:cloudrunv2/service:Service"


def args(**changed: Any) -> GatewayArgs:
    given: dict[str, Any] = {
        "project": "my-project",
        "project_number": "7",
        "region": "us-central1",
        "gateway": "ward",
        "image": "us-docker.pkg.dev/my-project/images/gateway:1",
        "stores": STORES,
        "members": ["domain:example.org", ANA],
        "iap_agent": AGENT,
    }
    return GatewayArgs(**given | changed)


def up(**changed: Any) -> Deployment:
    return deploy(lambda: Gateway("gateway", args(**changed)))


def settings_of(deployed: Deployment) -> Any:
    [service] = deployed.of_type(SERVICE)
    [variable] = service.inputs["template"]["containers"][0]["envs"]
    assert variable["name"] == settings.VARIABLE
    return json.loads(variable["value"])


def grants(deployed: Deployment) -> set[tuple[str, str, str]]:
    """Type, role and member of each grant."""
    return {
        (item.type.rpartition(":")[2], item.inputs["role"], item.inputs["member"])
        for item in deployed.resources
        if "member" in item.inputs
    }


def test_the_account_has_roles_on_its_stores_and_members_pass_the_proxy() -> None:
    account = "serviceAccount:gateway-ward@my-project.iam.gserviceaccount.com"
    proxy, accessor = "WebCloudRunServiceIamMember", "roles/iap.httpsResourceAccessor"
    assert grants(up()) == {
        ("DicomStoreIamMember", "roles/healthcare.dicomEditor", account),
        ("FhirStoreIamMember", "roles/healthcare.fhirResourceReader", account),
        ("ServiceIamMember", "roles/run.invoker", AGENT),
        (proxy, accessor, "domain:example.org"),
        (proxy, accessor, ANA),
    }


def test_the_program_takes_the_settings_as_they_are_meant() -> None:
    read = settings.parse(settings_of(up(origins=["https://viewer.example.org"], viewer=False)))
    assert read.provider.audience == "/projects/7/locations/us-central1/services/gateway-ward"
    assert read.provider.is_iap
    assert (read.origins, read.has_viewer) == (("https://viewer.example.org",), False)
    assert read.limits == settings.Limits()
    ana, bo = Caller("ana@example.org"), Caller("bo@example.org")
    rights = {
        (caller.email[0], right, store[-1])
        for caller in (ana, bo)
        for right in Right
        for store in (DICOM, FHIR)
        if read.roles.allows(caller, store, right)
    }
    assert rights == {
        ("a", Right.READ, "t"),
        ("a", Right.WRITE, "t"),
        ("b", Right.READ, "t"),
        ("a", Right.READ, "f"),
        ("b", Right.READ, "f"),
    }


def test_the_service_starts_after_the_grants_that_it_needs() -> None:
    deployed = up()
    waited = deployed.all_dependencies("gateway")
    [service] = deployed.of_type(SERVICE)
    assert {"gateway-ct", "gateway-f"} <= service.dependencies | waited
    assert service.inputs["iapEnabled"] is True
    assert "invokerIamDisabled" not in service.inputs


def test_an_identity_provider_replaces_the_proxy() -> None:
    deployed = up(members=[], iap_agent=None, oidc=OIDC)
    [service] = deployed.of_type(SERVICE)
    assert service.inputs["invokerIamDisabled"] is True
    assert "iapEnabled" not in service.inputs
    assert {type_ for type_, _, _ in grants(deployed)} == {
        "DicomStoreIamMember",
        "FhirStoreIamMember",
    }
    read = settings.parse(settings_of(deployed))
    assert (read.provider.issuer, read.provider.is_iap) == (OIDC.issuer, False)


@pytest.mark.parametrize("changed", [{}, {"members": [], "iap_agent": None, "oidc": OIDC}])
def test_every_input_is_a_field_of_the_provider(changed: dict[str, Any]) -> None:
    for resource in up(**changed).resources:
        if resource.type.startswith("gcp:"):
            fields = provider_schema.load(resource.type).fields
            for name in resource.inputs:
                assert not fields[name].output
            required = {name for name, field in fields.items() if field.required}
            assert {name for name in required if "." not in name} <= resource.inputs.keys()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"stores": []}, "leads nowhere"),
        ({"stores": [STORES[0], STORES[0]]}, 'two are named "ct"'),
        ({"members": []}, "members and iap_agent are needed"),
        ({"iap_agent": None}, "members and iap_agent are needed"),
        ({"oidc": OIDC}, "has no effect with oidc"),
        ({"members": ["allUsers"]}, "is not a member of a gateway"),
        ({"origins": ["viewer"]}, "is not an origin"),
        ({"gateway": "a" * 21}, "is not a name of a gateway"),
        ({"min_instances": 5}, "are not 0 to 100, in this order"),
        ({"idle_seconds": 0}, "less than 1"),
    ],
)
def test_what_can_not_work_is_refused(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        args(**changed)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({}, "one of dicom_store and fhir_store"),
        ({"dicom_store": DICOM}, "no readers and no editors"),
        ({"dicom_store": DICOM, "readers": ["group:a@b.org"]}, "is not a caller"),
    ],
)
def test_a_store_needs_callers(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        GatewayStoreArgs(name="s", **changed)
