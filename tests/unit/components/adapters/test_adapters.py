"""The adapters' resources: who may reach what, and what survives."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import yaml

from components import rules
from components.adapters.adapter import Adapter
from components.adapters.adapter_repository import AdapterRepository, AdapterRepositoryArgs
from components.adapters.arguments import AetArgs, OutgoingArgs, TlsArgs
from components.adapters.dimse_adapter import DimseAdapter, DimseAdapterArgs
from components.adapters.mllp_adapter import MllpAdapter, MllpAdapterArgs
from components.base import ArgumentError
from components.notification_topic import SubscriptionArgs
from tests.unit.components.deployment import Deployment, Resource, deploy

DATASET = "projects/my-project/locations/us-central1/datasets/d"
DICOM, HL7V2 = f"{DATASET}/dicomStores/ct", f"{DATASET}/hl7V2Stores/adt"
REGISTRY = "us-central1-docker.pkg.dev/my-project/adapters"
TOPIC = "projects/my-project/topics/events"
HOSPITAL = ("10.20.0.0/16",)
PACS = AetArgs(name="PACS", host="10.20.0.9", port=104)
SECRET = "projects/vault/secrets/{}/versions/3"
TLS = TlsArgs(certificate=SECRET.format("cert"), key=SECRET.format("key"))
IN_REGION = {"project": "my-project", "region": "us-central1"}


def dimse(**changed: Any) -> DimseAdapterArgs:
    given: dict[str, Any] = {
        **IN_REGION,
        "adapter": "ct",
        "image": f"{REGISTRY}/dimse-adapter:1",
        "dicom_store": DICOM,
        "aet": "ADAPTER",
        "source_ranges": HOSPITAL,
    }
    return DimseAdapterArgs(**given | changed)


def mllp(**changed: Any) -> MllpAdapterArgs:
    given: dict[str, Any] = {
        **IN_REGION,
        "adapter": "adt",
        "image": f"{REGISTRY}/mllp-adapter:1",
        "hl7v2_store": HL7V2,
        "source_ranges": HOSPITAL,
    }
    return MllpAdapterArgs(**given | changed)


def up(args: DimseAdapterArgs | MllpAdapterArgs) -> Deployment:
    def program() -> Adapter:
        if isinstance(args, DimseAdapterArgs):
            return DimseAdapter("adapter", args)
        return MllpAdapter("adapter", args)

    return deploy(program)


def only(deployed: Deployment, type_: str) -> Resource:
    [found] = [item for item in deployed.resources if item.type.endswith(f":{type_}")]
    return found


def command(deployed: Deployment) -> list[str]:
    """The arguments of the container on the instances, behind its image."""
    text = only(deployed, "InstanceTemplate").inputs["metadata"]["user-data"]
    unit = yaml.safe_load(text)["write_files"][0]["content"].replace("\\\n", "")
    [start] = re.findall("^ExecStart=(.*)$", unit, re.MULTILINE)
    words: list[str] = start.split()
    return words[words.index(next(word for word in words if word.startswith(REGISTRY))) + 1 :]


def granted(deployed: Deployment, account: str) -> set[str]:
    """The roles of an account, each with the type of what it is on."""
    return {
        f"{item.type.rpartition(':')[2]} {item.inputs['role']}"
        for item in deployed.resources
        if item.inputs.get("member") == f"serviceAccount:{account}"
    }


def test_peers_reach_the_port_and_nothing_else_does() -> None:
    deployed = up(dimse(port=104, tls=TLS))
    firewalls = {
        item.inputs["name"]: item.inputs
        for item in deployed.of_type("gcp:compute/firewall:Firewall")
    }
    assert firewalls["dimse-ct-peers"]["sourceRanges"] == list(HOSPITAL)
    assert firewalls["dimse-ct-health-checks"]["sourceRanges"] == [
        "35.191.0.0/16",
        "130.211.0.0/22",
    ]
    for firewall in firewalls.values():
        assert firewall["allows"] == [{"protocol": "tcp", "ports": ["104"]}]
        assert firewall["targetServiceAccounts"] == ["dimse-ct@my-project.iam.gserviceaccount.com"]
    [interface] = only(deployed, "InstanceTemplate").inputs["networkInterfaces"]
    assert interface == {
        "network": "projects/my-project/global/networks/default",
        "subnetwork": "projects/my-project/regions/us-central1/subnetworks/default",
    }
    rule = only(deployed, "ForwardingRule").inputs
    assert (rule["loadBalancingScheme"], rule["ipProtocol"], rule["ports"]) == (
        "INTERNAL",
        "TCP",
        ["104"],
    )
    assert only(deployed, "Address").inputs["addressType"] == "INTERNAL"
    assert only(deployed, "RegionHealthCheck").inputs["tcpHealthCheck"] == {"port": 104}


def test_accounts_have_roles_on_the_store_and_what_they_read() -> None:
    deployed = up(dimse(tls=TLS, aets=[PACS], outgoing=OutgoingArgs(topic=TOPIC, peer="PACS")))
    secrets = "SecretIamMember roles/secretmanager.secretAccessor"
    assert granted(deployed, "dimse-ct@my-project.iam.gserviceaccount.com") == {
        "DicomStoreIamMember roles/healthcare.dicomEditor",
        "IAMMember roles/logging.logWriter",
        "RepositoryIamMember roles/artifactregistry.reader",
        secrets,
    }
    assert granted(deployed, "dimse-ct-out@my-project.iam.gserviceaccount.com") == {
        "DicomStoreIamMember roles/healthcare.dicomViewer",
        "SubscriptionIAMMember roles/pubsub.subscriber",
        secrets,
    }
    read = {
        (item.inputs["project"], item.inputs["secretId"])
        for item in deployed.of_type("gcp:secretmanager/secretIamMember:SecretIamMember")
    }
    assert read == {("vault", "cert"), ("vault", "key")}


def test_an_mllp_adapter_ingests_and_its_outgoing_side_consumes() -> None:
    authorities = TlsArgs(authorities=SECRET.format("ca"))
    outgoing = OutgoingArgs(topic=TOPIC, peer="10.20.0.9:2575", tls=authorities)
    deployed = up(mllp(outgoing=outgoing))
    assert "Hl7StoreIamMember roles/healthcare.hl7V2Ingest" in granted(
        deployed, "mllp-adt@my-project.iam.gserviceaccount.com"
    )
    assert granted(deployed, "mllp-adt-out@my-project.iam.gserviceaccount.com") == {
        "Hl7StoreIamMember roles/healthcare.hl7V2Consumer",
        "SubscriptionIAMMember roles/pubsub.subscriber",
        "SecretIamMember roles/secretmanager.secretAccessor",
    }
    assert command(deployed) == ["--hl7v2-store", HL7V2, "--port", "2575"]
    pool = only(deployed, "WorkerPool").inputs
    [container] = pool["template"]["containers"]
    assert container["args"] == [
        *("--outgoing", "--peer", "10.20.0.9:2575"),
        *("--peer-ca", SECRET.format("ca")),
        *("--subscription", "projects/my-project/subscriptions/mllp-adt-out"),
    ]
    assert pool["scaling"] == {"manualInstanceCount": 1}
    assert pool["deletionProtection"] is False


def test_a_spool_is_a_disk_that_stays_with_its_instance() -> None:
    deployed = up(dimse(disk_gb=200, kms_key_name=KEY))
    boot, spool = only(deployed, "InstanceTemplate").inputs["disks"]
    assert (spool["deviceName"], spool["diskSizeGb"]) == ("spool", 200)
    for disk in (boot, spool):
        assert disk["diskEncryptionKey"] == {"kmsKeySelfLink": KEY}
    group = only(deployed, "RegionInstanceGroupManager").inputs
    assert group["statefulDisks"] == [
        {"deviceName": "spool", "deleteRule": "ON_PERMANENT_INSTANCE_DELETION"}
    ]
    update = group["updatePolicy"]
    assert (update["replacementMethod"], update["maxSurgeFixed"]) == ("RECREATE", 0)
    assert update["instanceRedistributionType"] == "NONE"
    assert command(deployed)[-2:] == ["--spool", "/spool"]


KEY = "projects/my-project/locations/us-central1/keyRings/r/cryptoKeys/k"


def test_without_a_spool_a_successor_starts_first() -> None:
    deployed = up(mllp(size=2))
    assert len(only(deployed, "InstanceTemplate").inputs["disks"]) == 1
    group = only(deployed, "RegionInstanceGroupManager").inputs
    assert "statefulDisks" not in group
    assert group["targetSize"] == 2
    assert group["updatePolicy"]["maxUnavailableFixed"] == 0
    assert only(deployed, "RegionBackendService").inputs["sessionAffinity"] == "CLIENT_IP"


def test_instances_start_when_their_account_has_its_roles() -> None:
    deployed = up(dimse(tls=TLS, aets=[PACS], outgoing=OutgoingArgs(topic=TOPIC, peer="PACS")))
    group = only(deployed, "RegionInstanceGroupManager")
    assert group.dependencies >= {
        "adapter-store",
        "adapter-logs",
        "adapter-image",
        "adapter-secret-key",
        "adapter-peers",
    }
    pool = only(deployed, "WorkerPool")
    assert pool.dependencies >= {"adapter-outgoing-store", "adapter-outgoing-subscription"}


def test_the_dictionary_reaches_both_sides() -> None:
    deployed = up(
        dimse(
            calling_aets=["CT1", "CT2"],
            aets=[PACS, AetArgs(name="WS", host="ws.example", port=2762, tls=True)],
            outgoing=OutgoingArgs(topic=TOPIC, peer="PACS"),
        )
    )
    entries = [
        {"name": "PACS", "host": "10.20.0.9", "port": 104},
        {"name": "WS", "host": "ws.example", "port": 2762, "tls": True},
    ]
    [container] = only(deployed, "WorkerPool").inputs["template"]["containers"]
    [variable] = container["envs"]
    assert variable["name"] == "ENV_AETS_JSON"
    assert json.loads(variable["value"]) == entries
    text = only(deployed, "InstanceTemplate").inputs["metadata"]["user-data"]
    assert variable["value"] in text
    assert command(deployed)[6:10] == ["--calling-aet", "CT1", "--calling-aet", "CT2"]


def test_dead_letters_of_the_outgoing_side_are_those_of_its_subscription() -> None:
    agent = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
    subscription = SubscriptionArgs(
        "to-pacs", dead_letter_topic="projects/my-project/topics/dead", max_delivery_attempts=5
    )
    outgoing = OutgoingArgs(topic=TOPIC, peer="PACS", subscription=subscription, pubsub_agent=agent)
    deployed = up(dimse(aets=[PACS], outgoing=outgoing, labels={"team": "imaging"}))
    subscribed = only(deployed, "Subscription").inputs
    assert subscribed["deadLetterPolicy"]["maxDeliveryAttempts"] == 5
    assert (subscribed["topic"], subscribed["labels"]) == (TOPIC, {"team": "imaging"})
    roles = {i.inputs["role"] for i in deployed.resources if i.inputs.get("member") == agent}
    assert roles == {"roles/pubsub.publisher", "roles/pubsub.subscriber"}


def test_an_adapter_may_only_send() -> None:
    deployed = up(mllp(source_ranges=(), outgoing=OutgoingArgs(topic=TOPIC, peer="h:1")))
    assert not [item for item in deployed.resources if item.type.startswith("gcp:compute/")]
    assert deployed.outputs["adapter"] == {
        "address": "",
        "port": 2575,
        "serviceAccount": "",
        "outgoingServiceAccount": "mllp-adt-out@my-project.iam.gserviceaccount.com",
        "subscription": "projects/my-project/subscriptions/mllp-adt-out",
    }


def test_the_repository_reports_the_path_of_its_images() -> None:
    args = AdapterRepositoryArgs(project="my-project", location="europe-west4")
    deployed = deploy(lambda: AdapterRepository("images", args))
    assert only(deployed, "Repository").inputs["format"] == "DOCKER"
    assert deployed.outputs["images"] == {"path": "europe-west4-docker.pkg.dev/my-project/adapters"}


Make = Callable[[], object]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: dimse(aet="A" * 17), "is not an AE title"),
        (lambda: dimse(calling_aets=["A\\B"]), "is not an AE title"),
        (lambda: dimse(source_ranges=["0.0.0.0/0"]), "would open the adapter to every address"),
        (lambda: dimse(source_ranges=["10.0.0.1/8"]), r'Did you mean "10\.0\.0\.0/8"'),
        (lambda: dimse(region="us"), "is not a region"),
        (lambda: dimse(adapter="CT"), "is not a name of an adapter"),
        (lambda: dimse(image="dimse-adapter"), "is not a container image"),
        (lambda: dimse(port=0), "is not a port"),
        (lambda: dimse(size=0), "0 is less than 1"),
        (lambda: dimse(source_ranges=()), "source_ranges, outgoing or both"),
        (lambda: dimse(aets=[PACS, PACS]), 'two are named "PACS"'),
        (lambda: dimse(outgoing=OutgoingArgs(topic=TOPIC, peer="PACS")), "is not among aets"),
        (lambda: dimse(tls=TlsArgs(authorities=SECRET.format("ca"))), "certificate and key"),
        (lambda: TlsArgs(certificate=SECRET.format("a")), "belong together"),
        (lambda: TlsArgs(authorities="-----BEGIN"), "never written into settings"),
        (lambda: OutgoingArgs(topic="events", peer="h:1"), "is not projects/P/topics/T"),
        (lambda: OutgoingArgs(topic=TOPIC, peer="h:1", tls=TLS), "authorities, the peer's"),
        (
            lambda: mllp(outgoing=OutgoingArgs(topic=TOPIC, peer="h")),
            "is not an address",
        ),
    ],
)
def test_bad_arguments_are_refused(make: Make, complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        make()


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        (f"{REGISTRY}/dimse-adapter:1", ("us-central1", "my-project", "adapters")),
        (f"{REGISTRY}/deep/dimse@sha256:{'0' * 64}", ("us-central1", "my-project", "adapters")),
        ("registry.example:5000/dimse:1", None),
    ],
)
def test_the_repository_of_an_image(reference: str, found: Sequence[str] | None) -> None:
    assert rules.image(reference) is None
    assert rules.registry_of(reference) == found
