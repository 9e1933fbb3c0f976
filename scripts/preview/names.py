"""Names of resources and their types, for people."""

from scripts.lib.property_values import Special
from scripts.preview.model import State

TYPE_NAMES = {
    "gcp:healthcare/dataset:Dataset": "Healthcare dataset",
    "gcp:healthcare/dicomStore:DicomStore": "DICOM store",
    "gcp:healthcare/fhirStore:FhirStore": "FHIR store",
    "gcp:healthcare/hl7Store:Hl7Store": "HL7v2 store",
    "gcp:healthcare/consentStore:ConsentStore": "consent store",
    "gcp:bigquery/dataset:Dataset": "BigQuery dataset",
    "gcp:bigquery/table:Table": "BigQuery table",
    "gcp:storage/bucket:Bucket": "bucket",
    "gcp:storage/bucketObject:BucketObject": "object",
    "gcp:kms/keyRing:KeyRing": "key ring",
    "gcp:kms/cryptoKey:CryptoKey": "key",
    "gcp:kms/cryptoKeyVersion:CryptoKeyVersion": "key version",
    "gcp:organizations/project:Project": "project",
    "gcp:projects/service:Service": "service",
    "gcp:projects/serviceIdentity:ServiceIdentity": "service identity",
    "gcp:projects/iAMMember:IAMMember": "project role",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": "audit logging",
    "gcp:logging/projectSink:ProjectSink": "log sink",
    "gcp:logging/metric:Metric": "log-based metric",
    "gcp:monitoring/alertPolicy:AlertPolicy": "alert policy",
    "gcp:monitoring/notificationChannel:NotificationChannel": "notification channel",
    "gcp:pubsub/topic:Topic": "topic",
    "gcp:pubsub/subscription:Subscription": "subscription",
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": "instance group",
    "gcp:compute/instanceTemplate:InstanceTemplate": "instance template",
    "gcp:compute/regionHealthCheck:RegionHealthCheck": "health check",
    "gcp:compute/regionBackendService:RegionBackendService": "backend service",
    "gcp:compute/forwardingRule:ForwardingRule": "forwarding rule",
    "gcp:compute/address:Address": "address",
    "gcp:compute/globalAddress:GlobalAddress": "global address",
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": "global forwarding rule",
    "gcp:compute/securityPolicy:SecurityPolicy": "security policy",
    "gcp:compute/backendService:BackendService": "global backend service",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": "network endpoint group",
    "gcp:compute/uRLMap:URLMap": "URL map",
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy": "HTTPS proxy",
    "gcp:compute/targetHttpProxy:TargetHttpProxy": "HTTP proxy",
    "gcp:compute/managedSslCertificate:ManagedSslCertificate": "managed certificate",
    "gcp:compute/sSLPolicy:SSLPolicy": "TLS policy",
    "gcp:compute/firewall:Firewall": "firewall rule",
    "gcp:compute/subnetwork:Subnetwork": "subnetwork",
    "gcp:compute/haVpnGateway:HaVpnGateway": "VPN gateway",
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": "VPN gateway of the peer",
    "gcp:compute/vPNTunnel:VPNTunnel": "VPN tunnel",
    "gcp:compute/router:Router": "router",
    "gcp:compute/routerInterface:RouterInterface": "router interface",
    "gcp:compute/routerPeer:RouterPeer": "BGP peer",
    "gcp:cloudrunv2/workerPool:WorkerPool": "worker pool",
    "gcp:cloudrunv2/service:Service": "Cloud Run service",
    "gcp:cloudrunv2/job:Job": "Cloud Run job",
    "gcp:iap/webCloudRunServiceIamMember:WebCloudRunServiceIamMember": "accessor of a service",
    "gcp:artifactregistry/repository:Repository": "repository",
    "gcp:secretmanager/secret:Secret": "secret",
    "gcp:secretmanager/secretVersion:SecretVersion": "version of a secret",
    "gcp:serviceaccount/account:Account": "service account",
}
_NAMES = ("name", "datasetId", "tableId", "topicId", "friendlyName")


def type_name(state: State) -> str:
    """Return the type of a resource, for people."""
    if state.type == "gcp:bigquery/table:Table" and is_view(state):
        return "BigQuery view"
    return type_name_of(state.type)


def type_name_of(type_: str) -> str:
    """Return the name of a type token, for people."""
    known = TYPE_NAMES.get(type_)
    if known:
        return known
    # `gcp:pubsub/topicIAMMember:TopicIAMMember` reads `pubsub.TopicIAMMember`.
    module, _, name = type_.rpartition(":")
    service = module.split(":")[-1].split("/")[0]
    if not name:
        return type_ or "resource"
    return f"{service}.{name}" if service and service != "index" else name


def sort_key(state: State) -> tuple[int, str, str, str]:
    """Order resources for people: containers and what is in them first, then by name."""
    known = list(TYPE_NAMES)
    rank = known.index(state.type) if state.type in known else len(known)
    return rank, state.type, name(state), state.urn


def is_view(state: State) -> bool:
    """Return whether a BigQuery table is a view: its data is stored elsewhere."""
    views = ("view", "materializedView", "externalDataConfiguration")
    return any(state.get(name) not in (Special.ABSENT, None, [], {}) for name in views)


def logical_name(urn: str) -> str:
    """Return the name that the program gives the resource: the last part of its URN."""
    return urn.rpartition("::")[2]


def name(state: State, *, hide: bool = False) -> str:
    """Return the cloud's name of the resource if it is known, or else the program's.

    Args:
        state: the resource
        hide: return only the program's name
    """
    if hide:
        return logical_name(state.urn)
    role, member = state.get("role"), state.get("member")
    if isinstance(role, str) and isinstance(member, str):
        return f"{role} for {member}"
    keys = ("tableId", *_NAMES) if state.type.startswith("gcp:bigquery/table") else _NAMES
    for key in keys:
        found = state.get(key)
        if isinstance(found, str) and found:
            return found.rpartition("/")[2] or found
    return logical_name(state.urn)
