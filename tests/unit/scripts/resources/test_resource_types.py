"""The table of what can be adopted: ids as Google's provider imports them, and look-ups."""

from typing import Any

import pytest

from engine.standin import registry
from engine.standin.iam import Member
from scripts.lib.property_values import Special
from scripts.resources.lookup import Lookup, NotServedError, access_as_policy, grants
from scripts.resources.resource_types import RESOURCE_TYPES, agent
from tests.unit.scripts.services import DATASET, PROJECT, Services

ROLE, ANNA = "roles/viewer", "user:anna@example.org"
STORES = {
    "gcp:healthcare/dicomStore:DicomStore": "dicomStores",
    "gcp:healthcare/fhirStore:FhirStore": "fhirStores",
    "gcp:healthcare/hl7Store:Hl7Store": "hl7V2Stores",
    "gcp:healthcare/consentStore:ConsentStore": "consentStores",
}
IDS: list[tuple[str, dict[str, Any], str]] = [
    (
        "gcp:projects/service:Service",
        {"service": "a.googleapis.com"},
        f"{PROJECT}/a.googleapis.com",
    ),
    (
        "gcp:projects/iAMMember:IAMMember",
        {"project": "other", "role": ROLE, "member": ANNA},
        f"other {ROLE} {ANNA}",
    ),
    (
        "gcp:projects/iAMMember:IAMMember",
        {"role": ROLE, "member": ANNA, "condition": {"title": "by day", "expression": "true"}},
        f"{PROJECT} {ROLE} {ANNA} by day",
    ),
    ("gcp:healthcare/dataset:Dataset", {"location": "us-central1", "name": "dataset1"}, DATASET),
    *[
        (token, {"dataset": DATASET, "name": "s"}, f"{DATASET}/{collection}/s")
        for token, collection in STORES.items()
    ],
    (
        "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember",
        {"dataset": DATASET, "consentStoreId": "c", "role": ROLE, "member": ANNA},
        f"{DATASET}/consentStores/c {ROLE} {ANNA}",
    ),
    (
        "gcp:pubsub/topicIAMMember:TopicIAMMember",
        {"topic": f"projects/{PROJECT}/topics/t", "role": ROLE, "member": ANNA},
        f"projects/{PROJECT}/topics/t {ROLE} {ANNA}",
    ),
    (
        "gcp:bigquery/datasetIamMember:DatasetIamMember",
        {"datasetId": "d", "role": ROLE, "member": ANNA},
        f"projects/{PROJECT}/datasets/d {ROLE} {ANNA}",
    ),
    (
        "gcp:secretmanager/secretIamMember:SecretIamMember",
        {"secretId": f"projects/{PROJECT}/secrets/s", "role": ROLE, "member": ANNA},
        f"projects/{PROJECT}/secrets/s {ROLE} {ANNA}",
    ),
    (
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
        {"location": "l", "repository": "r", "role": ROLE, "member": ANNA},
        f"projects/{PROJECT}/locations/l/repositories/r {ROLE} {ANNA}",
    ),
    (
        "gcp:compute/regionHealthCheck:RegionHealthCheck",
        {"region": "us-central1", "name": "adapter"},
        f"projects/{PROJECT}/regions/us-central1/healthChecks/adapter",
    ),
    *[
        (f"gcp:compute/{token}", {"name": "g"}, f"projects/{PROJECT}/global/{collection}/g")
        for token, collection in (
            ("backendService:BackendService", "backendServices"),
            ("globalAddress:GlobalAddress", "addresses"),
            ("globalForwardingRule:GlobalForwardingRule", "forwardingRules"),
            ("managedSslCertificate:ManagedSslCertificate", "sslCertificates"),
            ("sSLPolicy:SSLPolicy", "sslPolicies"),
            ("securityPolicy:SecurityPolicy", "securityPolicies"),
            ("targetHttpProxy:TargetHttpProxy", "targetHttpProxies"),
            ("targetHttpsProxy:TargetHttpsProxy", "targetHttpsProxies"),
            ("uRLMap:URLMap", "urlMaps"),
        )
    ],
    (
        "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
        {"region": "us-central1", "name": "g"},
        f"projects/{PROJECT}/regions/us-central1/networkEndpointGroups/g",
    ),
    (
        "gcp:compute/firewall:Firewall",
        {"name": "adapter"},
        f"projects/{PROJECT}/global/firewalls/adapter",
    ),
    (
        "gcp:serviceaccount/account:Account",
        {"accountId": "adapter"},
        f"projects/{PROJECT}/serviceAccounts/adapter@{PROJECT}.iam.gserviceaccount.com",
    ),
    (
        "gcp:kms/cryptoKey:CryptoKey",
        {"keyRing": "projects/p/locations/l/keyRings/r", "name": "k"},
        "projects/p/locations/l/keyRings/r/cryptoKeys/k",
    ),
]


@pytest.mark.parametrize(("token", "inputs", "id_"), IDS)
def test_ids_are_computed_from_inputs(token: str, inputs: dict[str, Any], id_: str) -> None:
    assert RESOURCE_TYPES[token].identify(inputs, PROJECT) == id_


@pytest.mark.parametrize("missing", [Special.UNKNOWN, Special.SECRET, "", None])
def test_what_is_not_known_yet_has_no_id(missing: Any) -> None:
    inputs = {"project": PROJECT, "role": ROLE, "member": missing}
    assert RESOURCE_TYPES["gcp:projects/iAMMember:IAMMember"].identify(inputs, PROJECT) is None


def test_every_type_that_the_stand_in_imports_can_be_adopted() -> None:
    missing = {row.pulumi_type for row in registry.resource_types()} - set(RESOURCE_TYPES)
    assert missing == set(), "add them to scripts/resources/resource_types.py"


COMPUTE = [token for token in RESOURCE_TYPES if token.startswith("gcp:compute/")]


@pytest.mark.parametrize("token", COMPUTE)
def test_a_part_of_compute_engine_is_read_at_its_name(services: Services, token: str) -> None:
    inputs = {"region": "us-central1", "router": "r", "name": "here"}
    id_ = RESOURCE_TYPES[token].identify(inputs, PROJECT)
    if token.startswith("gcp:compute/router") and not token.endswith(":Router"):
        services.found[f"projects/{PROJECT}/regions/us-central1/routers/r"] = {
            "interfaces": [{"name": "here"}],
            "bgpPeers": [{"name": "here"}],
        }
    else:
        assert id_ is not None
        services.found[id_] = {"name": "here"}
    assert _exists(token, services, **inputs)
    assert not _exists(token, services, **{**inputs, "name": "gone"})


def test_grants_are_marked_as_such() -> None:
    grants_ = {
        row.pulumi_type for row in registry.resource_types() if isinstance(row.operations, Member)
    }
    assert grants_ <= {
        token for token, resource_type in RESOURCE_TYPES.items() if resource_type.grant
    }


def _exists(token: str, services: Services, **inputs: Any) -> bool:
    resource_type = RESOURCE_TYPES[token]
    id_ = resource_type.identify(inputs, PROJECT)
    assert id_ is not None
    return resource_type.find(inputs, PROJECT, id_, Lookup())


@pytest.mark.parametrize(("token", "collection"), STORES.items())
def test_a_store_exists_when_its_api_says_so(
    services: Services, token: str, collection: str
) -> None:
    services.found[f"{DATASET}/{collection}/here"] = {"name": "here"}
    assert _exists(token, services, dataset=DATASET, name="here")
    assert not _exists(token, services, dataset=DATASET, name="gone")


def test_a_service_counts_when_it_is_enabled(services: Services) -> None:
    at = f"projects/{PROJECT}/services"
    services.found[f"{at}/on.googleapis.com"] = {"state": "ENABLED"}
    services.found[f"{at}/off.googleapis.com"] = {"state": "DISABLED"}
    token = "gcp:projects/service:Service"
    assert _exists(token, services, service="on.googleapis.com")
    assert not _exists(token, services, service="off.googleapis.com")


def test_a_secret_version_counts_until_it_is_destroyed(services: Services) -> None:
    name = f"projects/{PROJECT}/secrets/s/versions/1"
    token = "gcp:secretmanager/secretVersion:SecretVersion"
    for state, exists in (("ENABLED", True), ("DISABLED", True), ("DESTROYED", False)):
        services.found[name] = {"state": state}
        assert _exists(token, services, name=name) == exists


def test_a_grant_is_looked_for_in_the_policy(services: Services) -> None:
    bindings = [{"role": ROLE, "members": ["user:Anna@Example.org"]}]
    services.found[f"{DATASET}:getIamPolicy"] = {"bindings": bindings}
    token = "gcp:healthcare/datasetIamMember:DatasetIamMember"
    assert _exists(token, services, datasetId=DATASET, role=ROLE, member=ANNA)
    assert not _exists(token, services, datasetId=DATASET, role="roles/editor", member=ANNA)


def test_an_agent_exists_when_the_project_gives_it_a_role(services: Services) -> None:
    token, service = "gcp:projects/serviceIdentity:ServiceIdentity", "healthcare.googleapis.com"
    services.found[PROJECT] = {"projectNumber": "12"}
    assert not _exists(token, services, service=service)
    email = "service-12@gcp-sa-healthcare.iam.gserviceaccount.com"
    policy = {"bindings": [{"role": ROLE, "members": [f"serviceAccount:{email}"]}]}
    services.found[f"{PROJECT}:getIamPolicy"] = policy
    assert _exists(token, services, service=service)
    assert agent(Lookup(), PROJECT, service) == email
    assert agent(Lookup(), PROJECT, "other.googleapis.com") is None


def test_a_policy_is_read_once(services: Services) -> None:
    services.found[f"{PROJECT}:getIamPolicy"] = {}
    resource_type, lookup = RESOURCE_TYPES["gcp:projects/iAMMember:IAMMember"], Lookup()
    for role in (ROLE, "roles/editor"):
        assert not resource_type.find({"role": role, "member": ANNA}, PROJECT, "", lookup)
    assert len(services.asked) == 1


def test_a_service_that_is_not_served_locally_is_not_called_at_google(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1/")
    with pytest.raises(NotServedError):
        Lookup().get("kms", "projects.locations.keyRings", "projects/p/locations/l/keyRings/r")
    assert services.asked == []


def test_conditions_have_to_be_the_same() -> None:
    night = {"title": "t", "expression": "night"}
    policy = {"bindings": [{"role": ROLE, "members": [ANNA], "condition": night}]}
    assert grants(policy, ROLE, ANNA, night)
    assert not grants(policy, ROLE, ANNA, {})
    assert not grants(policy, ROLE, ANNA, {**night, "expression": "day"})
    assert not grants(None, ROLE, ANNA, {})


def test_access_lists_of_big_query_read_as_policies() -> None:
    policy = access_as_policy(
        {
            "access": [
                {"role": "READER", "userByEmail": "anna@example.org"},
                {"role": "WRITER", "userByEmail": "x@p.iam.gserviceaccount.com"},
                {"role": "roles/viewer", "groupByEmail": "all@example.org"},
                {"role": "OWNER", "specialGroup": "projectOwners"},
                {"view": {"tableId": "v"}},
            ]
        }
    )
    assert grants(policy, "roles/bigquery.dataViewer", ANNA, {})
    x = "serviceAccount:x@p.iam.gserviceaccount.com"
    assert grants(policy, "roles/bigquery.dataEditor", x, {})
    assert grants(policy, ROLE, "group:all@example.org", {})
    assert grants(policy, "roles/bigquery.dataOwner", "projectOwners", {})
    assert len(policy["bindings"]) == 4


def test_namesakes_are_found_in_other_locations(services: Services) -> None:
    ids = ("us-central1", "europe-west4", "us")
    services.found[f"projects/{PROJECT}/locations"] = {
        "locations": [{"locationId": name} for name in ids]
    }
    there = f"projects/{PROJECT}/locations/europe-west4/datasets/dataset1"
    services.found[there] = {"name": there}
    assert Lookup().namesakes(PROJECT, "dataset1") == [there]
