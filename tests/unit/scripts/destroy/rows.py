"""A resource of each type, and what the cloud holds when it is there."""

from dataclasses import dataclass
from typing import Any

from tests.unit.scripts.destroy.cloud import GET
from tests.unit.scripts.services import DATASET, PROJECT

ROLE, ANNA = "roles/viewer", "user:anna@example.org"
GRANT = {"role": ROLE, "member": ANNA}
POLICY = {"bindings": [{"role": ROLE, "members": [ANNA]}]}
AGENT = f"serviceAccount:service-1@gcp-sa-{'healthcare'}.iam.gserviceaccount.com"
TOPIC = f"projects/{PROJECT}/topics/t"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/s"
RING = f"projects/{PROJECT}/locations/l/keyRings/r"
KEY = f"{RING}/cryptoKeys/k"
SECRET = f"projects/{PROJECT}/secrets/tls"
RUN = f"projects/{PROJECT}/locations/l"
PROXY = f"projects/{PROJECT}/iap_web/cloud_run-l/services/r"
REPOSITORY = f"projects/{PROJECT}/locations/l/repositories/images"
ACCOUNT = f"projects/{PROJECT}/serviceAccounts/adapter@{PROJECT}.iam.gserviceaccount.com"
BIGQUERY = f"projects/{PROJECT}/datasets/b"


@dataclass(frozen=True)
class Row:
    """A kind: a resource of it, and what the cloud holds when it is there."""

    id: str
    properties: dict[str, Any]
    found: dict[str, Any]


def at(name: str, /, **properties: Any) -> Row:
    return Row(name, properties, {name: {"name": name}})


def _granted(resource: str, **properties: Any) -> Row:
    return Row(f"{resource} {ROLE} {ANNA}", {**GRANT, **properties}, {f"{resource}{GET}": POLICY})


def _of_compute(path: str) -> Row:
    name = f"projects/{PROJECT}/{path}/adapter"
    return Row(name, {"name": "adapter", "region": "r"}, {name: {"name": "a"}})


def _of_router(items: str, id_: str) -> Row:
    router = f"projects/{PROJECT}/regions/r/routers/vpn"
    properties = {"name": "i", "region": "r", "router": "vpn"}
    return Row(id_, properties, {router: {items: [{"name": "i"}]}})


SERVICE = f"projects/{PROJECT}/services/healthcare.googleapis.com"
ROWS: dict[str, Row] = {
    "gcp:projects/service:Service": Row(
        f"{PROJECT}/healthcare.googleapis.com",
        {"service": "healthcare.googleapis.com"},
        {SERVICE: {"state": "ENABLED"}},
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": Row(
        SERVICE,
        {"service": "healthcare.googleapis.com"},
        {
            PROJECT: {"projectNumber": "1"},
            f"{PROJECT}{GET}": {"bindings": [{"role": ROLE, "members": [AGENT]}]},
        },
    ),
    "gcp:projects/iAMMember:IAMMember": _granted(PROJECT, project=PROJECT),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": Row(
        f"{PROJECT} healthcare.googleapis.com",
        {"service": "healthcare.googleapis.com"},
        {f"{PROJECT}{GET}": {"auditConfigs": [{"service": "healthcare.googleapis.com"}]}},
    ),
    "gcp:healthcare/dataset:Dataset": at(DATASET),
    "gcp:healthcare/dicomStore:DicomStore": at(f"{DATASET}/dicomStores/s"),
    "gcp:healthcare/fhirStore:FhirStore": at(f"{DATASET}/fhirStores/s"),
    "gcp:healthcare/hl7Store:Hl7Store": at(f"{DATASET}/hl7V2Stores/s"),
    "gcp:healthcare/consentStore:ConsentStore": at(f"{DATASET}/consentStores/s"),
    "gcp:healthcare/datasetIamMember:DatasetIamMember": _granted(DATASET, datasetId=DATASET),
    "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember": _granted(
        f"{DATASET}/dicomStores/s", dicomStoreId=f"{DATASET}/dicomStores/s"
    ),
    "gcp:healthcare/fhirStoreIamMember:FhirStoreIamMember": _granted(
        f"{DATASET}/fhirStores/s", fhirStoreId=f"{DATASET}/fhirStores/s"
    ),
    "gcp:healthcare/hl7StoreIamMember:Hl7StoreIamMember": _granted(
        f"{DATASET}/hl7V2Stores/s", hl7V2StoreId=f"{DATASET}/hl7V2Stores/s"
    ),
    "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember": _granted(
        f"{DATASET}/consentStores/s", dataset=DATASET, consentStoreId="s"
    ),
    "gcp:bigquery/dataset:Dataset": Row(BIGQUERY, {"datasetId": "b"}, {"bigquery": {}}),
    "gcp:bigquery/table:Table": Row(
        f"{BIGQUERY}/tables/t",
        {"datasetId": "b", "tableId": "t"},
        {"bigquery": {"t": "TABLE"}},
    ),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": Row(
        f"{BIGQUERY} {ROLE} {ANNA}", {**GRANT, "datasetId": "b"}, {"bigquery": {}}
    ),
    "gcp:logging/projectSink:ProjectSink": at(f"projects/{PROJECT}/sinks/s"),
    "gcp:logging/metric:Metric": Row("m", {}, {f"projects/{PROJECT}/metrics/m": {"name": "m"}}),
    "gcp:monitoring/alertPolicy:AlertPolicy": at(f"projects/{PROJECT}/alertPolicies/1"),
    "gcp:monitoring/notificationChannel:NotificationChannel": at(
        f"projects/{PROJECT}/notificationChannels/1"
    ),
    "gcp:pubsub/topic:Topic": at(TOPIC),
    "gcp:pubsub/subscription:Subscription": at(SUBSCRIPTION),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _granted(TOPIC, topic=TOPIC),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _granted(
        SUBSCRIPTION, subscription=SUBSCRIPTION
    ),
    "gcp:kms/keyRing:KeyRing": at(RING),
    "gcp:kms/cryptoKey:CryptoKey": Row(
        KEY,
        {},
        {KEY: {}, f"{KEY}/cryptoKeyVersions": {"cryptoKeyVersions": [{"state": "ENABLED"}]}},
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _granted(KEY, cryptoKeyId=KEY),
    "gcp:secretmanager/secret:Secret": at(SECRET, secretId="tls"),
    "gcp:secretmanager/secretVersion:SecretVersion": Row(
        f"{SECRET}/versions/1", {}, {f"{SECRET}/versions/1": {"state": "ENABLED"}}
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _granted(SECRET, secretId=SECRET),
    "gcp:artifactregistry/repository:Repository": at(
        REPOSITORY, location="l", repositoryId="images"
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": _granted(
        REPOSITORY, location="l", repository=REPOSITORY
    ),
    "gcp:cloudrunv2/service:Service": at(f"{RUN}/services/r", location="l", name="r"),
    "gcp:cloudrunv2/job:Job": at(f"{RUN}/jobs/r", location="l", name="r"),
    "gcp:cloudrunv2/workerPool:WorkerPool": at(f"{RUN}/workerPools/r", location="l", name="r"),
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": _granted(
        f"{RUN}/services/r", location="l", name=f"{RUN}/services/r"
    ),
    "gcp:cloudrunv2/jobIamMember:JobIamMember": _granted(f"{RUN}/jobs/r", location="l", name="r"),
    "gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember": _granted(
        f"{RUN}/workerPools/r", location="l", name="r"
    ),
    "gcp:iap/webCloudRunServiceIamMember:WebCloudRunServiceIamMember": _granted(
        PROXY, location="l", cloudRunServiceName=PROXY
    ),
    "gcp:serviceaccount/account:Account": at(ACCOUNT, accountId="adapter"),
    "gcp:serviceaccount/iAMMember:IAMMember": _granted(ACCOUNT, serviceAccountId=ACCOUNT),
    **{
        f"gcp:compute/{token}": _of_compute(path)
        for token, path in (
            ("address:Address", "regions/r/addresses"),
            ("backendService:BackendService", "global/backendServices"),
            ("globalAddress:GlobalAddress", "global/addresses"),
            ("globalForwardingRule:GlobalForwardingRule", "global/forwardingRules"),
            ("managedSslCertificate:ManagedSslCertificate", "global/sslCertificates"),
            ("sSLPolicy:SSLPolicy", "global/sslPolicies"),
            ("securityPolicy:SecurityPolicy", "global/securityPolicies"),
            ("targetHttpProxy:TargetHttpProxy", "global/targetHttpProxies"),
            ("targetHttpsProxy:TargetHttpsProxy", "global/targetHttpsProxies"),
            ("uRLMap:URLMap", "global/urlMaps"),
            ("externalVpnGateway:ExternalVpnGateway", "global/externalVpnGateways"),
            ("firewall:Firewall", "global/firewalls"),
            ("forwardingRule:ForwardingRule", "regions/r/forwardingRules"),
            ("haVpnGateway:HaVpnGateway", "regions/r/vpnGateways"),
            ("instanceTemplate:InstanceTemplate", "global/instanceTemplates"),
            ("regionBackendService:RegionBackendService", "regions/r/backendServices"),
            ("regionHealthCheck:RegionHealthCheck", "regions/r/healthChecks"),
            (
                "regionInstanceGroupManager:RegionInstanceGroupManager",
                "regions/r/instanceGroupManagers",
            ),
            (
                "regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
                "regions/r/networkEndpointGroups",
            ),
            ("router:Router", "regions/r/routers"),
            ("subnetwork:Subnetwork", "regions/r/subnetworks"),
            ("vPNTunnel:VPNTunnel", "regions/r/vpnTunnels"),
        )
    },
    "gcp:compute/routerInterface:RouterInterface": _of_router("interfaces", f"{PROJECT}/r/vpn/i"),
    "gcp:compute/routerPeer:RouterPeer": _of_router(
        "bgpPeers", f"projects/{PROJECT}/regions/r/routers/vpn/i"
    ),
    "gcp:storage/bucket:Bucket": Row("bucket", {}, {"bucket": True}),
    "gcp:storage/bucketObject:BucketObject": Row(
        "bucket-templates/a.json",
        {"bucket": "bucket", "name": "templates/a.json"},
        {"object": "templates/a.json"},
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": Row(
        f"b/bucket {ROLE} {ANNA}", {**GRANT, "bucket": "b/bucket"}, {"bucket": True}
    ),
}
