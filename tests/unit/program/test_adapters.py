"""Adapters of a stack: from the keys of its file to resources and outputs."""

from typing import Any

from tests.support.program import run
from tests.unit.components.deployment import PROJECT_NUMBER, Deployment

KEY = "projects/local-project/locations/us-central1/keyRings/r/cryptoKeys/k"
STACK: dict[str, Any] = {
    "labels": {"team": "imaging"},
    "topics": [{"name": "events"}, {"name": "dead"}],
    "dicomStores": [{"name": "ct", "notificationConfig": {"pubsubTopic": "events"}}],
    "datasets": [{"name": "ward", "hl7v2Stores": ["adt"]}],
    "adapterRepository": {"name": "adapters"},
    "dimseAdapters": [
        {
            "name": "ct",
            "dicomStore": "ct",
            "aet": "ADAPTER",
            "sourceRanges": ["10.20.0.0/16"],
            "kmsKeyName": KEY,
            "aets": [{"name": "PACS", "host": "10.20.0.9", "port": 104}],
            "outgoing": {"topic": "events", "peer": "PACS", "deadLetter": {"topic": "dead"}},
        }
    ],
    "mllpAdapters": [
        {
            "name": "adt",
            "hl7v2Store": "ward/adt",
            "sourceRanges": ["10.20.0.0/16"],
            "image": "registry.example/adapters/mllp:1",
            "labels": {"team": "his"},
        }
    ],
}


def templates(deployed: Deployment) -> dict[str, dict[str, Any]]:
    found = deployed.of_type("gcp:compute/instanceTemplate:InstanceTemplate")
    return {item.name: item.inputs for item in found}


def test_adapters_stand_before_the_stores_of_the_stack() -> None:
    deployed = run(**STACK)
    path = "projects/local-project/locations/us-central1/datasets"
    texts = {name: inputs["metadata"]["user-data"] for name, inputs in templates(deployed).items()}
    assert f"--dicomweb-store {path}/dataset1/dicomStores/ct" in texts["dimse-adapter-ct"]
    assert f"--hl7v2-store {path}/ward/hl7V2Stores/adt" in texts["mllp-adapter-adt"]
    group = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
    waited = {item.name: deployed.all_dependencies(item.name) for item in deployed.of_type(group)}
    assert {"healthcare-ct", "services-compute"} <= waited["dimse-adapter-ct"]
    assert "healthcare-ward-adt" in waited["mllp-adapter-adt"]


def test_images_are_those_of_the_stacks_own_repository() -> None:
    deployed = run(**STACK)
    own = "us-central1-docker.pkg.dev/local-project/adapters"
    texts = {name: inputs["metadata"]["user-data"] for name, inputs in templates(deployed).items()}
    assert f"docker pull {own}/dimse-adapter:latest" in texts["dimse-adapter-ct"]
    assert "docker pull registry.example/adapters/mllp:1" in texts["mllp-adapter-adt"]
    assert deployed.outputs["stack"]["adapterRepository"] == own
    [repository] = deployed.of_type("gcp:artifactregistry/repository:Repository")
    assert repository.inputs["labels"] == {"team": "imaging"}


def test_a_repository_of_a_multi_region_is_in_that_of_artifact_registry() -> None:
    deployed = run(location="eu", adapterRepository={"name": "adapters"})
    [repository] = deployed.of_type("gcp:artifactregistry/repository:Repository")
    assert repository.inputs["location"] == "europe"


def test_disks_are_encrypted_with_the_key_that_compute_engine_may_use() -> None:
    deployed = run(**STACK)
    [boot, spool] = templates(deployed)["dimse-adapter-ct"]["disks"]
    assert boot["diskEncryptionKey"] == spool["diskEncryptionKey"] == {"kmsKeySelfLink": KEY}
    grant = deployed["dimse-adapter-ct-key-compute"].inputs
    agent = f"service-{PROJECT_NUMBER}@compute-system.iam.gserviceaccount.com"
    assert grant["member"] == f"serviceAccount:{agent}"
    assert deployed.outputs["stack"]["keys"] == [KEY]


def test_a_stack_enables_what_its_adapters_need() -> None:
    deployed = run(**STACK)
    enabled = {item.inputs["service"] for item in deployed.of_type("gcp:projects/service:Service")}
    assert enabled >= {
        "artifactregistry.googleapis.com",
        "compute.googleapis.com",
        "run.googleapis.com",
        "logging.googleapis.com",
        "cloudkms.googleapis.com",
    }
    assert "secretmanager.googleapis.com" not in enabled
    assert "services-pubsub-agent" in deployed.names


def test_outputs_say_where_to_connect() -> None:
    outputs = run(**STACK).outputs["stack"]
    assert outputs["dimseAdapters"]["ct"] == {
        "address": "10.128.0.2",
        "port": 11_112,
        "serviceAccount": "dimse-ct@local-project.iam.gserviceaccount.com",
        "outgoingServiceAccount": "dimse-ct-out@local-project.iam.gserviceaccount.com",
        "subscription": "projects/local-project/subscriptions/dimse-ct-out",
    }
    assert outputs["mllpAdapters"]["adt"]["subscription"] == ""


def test_a_vpn_reports_the_addresses_of_its_gateway() -> None:
    tunnels = [
        {
            "sharedSecret": f"projects/vault/secrets/vpn-{number}/versions/1",
            "address": f"169.254.{number}.1/30",
            "peerAddress": f"169.254.{number}.2",
        }
        for number in (0, 1)
    ]
    vpn = {"name": "north", "peerAddresses": ["198.51.100.7"], "peerAsn": 65_001}
    deployed = run(vpns=[{**vpn, "tunnels": tunnels}])
    assert deployed.outputs["stack"]["vpns"] == {
        "north": {"addresses": ["203.0.113.0", "203.0.113.1"]}
    }
    [gateway] = deployed.of_type("gcp:compute/haVpnGateway:HaVpnGateway")
    assert "services-secretmanager" in deployed.all_dependencies(gateway.name)


def test_labels_of_an_adapter_are_over_those_of_the_stack() -> None:
    found = {name: inputs["labels"]["team"] for name, inputs in templates(run(**STACK)).items()}
    assert found == {"dimse-adapter-ct": "imaging", "mllp-adapter-adt": "his"}
