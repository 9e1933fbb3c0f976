"""The resource types: the id that the provider imports a resource by, and how to look it up.

An id is a template over the resource's inputs, in the form that Google's provider documents for
`import`. A grant is `RESOURCE ROLE MEMBER`, followed by the title of its condition.
https://www.pulumi.com/registry/packages/gcp/api-docs/
"""

from functools import partial
from typing import Any

from scripts.resources.lookup import Lookup, access_as_policy, names_member
from scripts.resources.resource_type import ResourceType, Wanted, at, granted, granted_at

_DATASETS = "projects.locations.datasets"
_RINGS = "projects.locations.keyRings"
_REPOSITORIES = "projects.locations.repositories"
_LOCATION = "projects/{project}/locations/{location}"
_REPOSITORY = f"{_LOCATION}/repositories"
_RUN_SERVICES = "projects.locations.services"
_CLOUD_RUN = ("service", "job", "workerPool")
_GLOBAL = (
    ("backendService:BackendService", "backendServices", ""),
    ("globalAddress:GlobalAddress", "globalAddresses", "addresses"),
    ("globalForwardingRule:GlobalForwardingRule", "globalForwardingRules", "forwardingRules"),
    ("managedSslCertificate:ManagedSslCertificate", "sslCertificates", ""),
    ("sSLPolicy:SSLPolicy", "sslPolicies", ""),
    ("securityPolicy:SecurityPolicy", "securityPolicies", ""),
    ("targetHttpProxy:TargetHttpProxy", "targetHttpProxies", ""),
    ("targetHttpsProxy:TargetHttpsProxy", "targetHttpsProxies", ""),
    ("uRLMap:URLMap", "urlMaps", ""),
)
"""Parts of external load balancers: type, resource of the discovery document, name in paths."""
# The addresses of service agents; the project's number goes into the braces.
# https://cloud.google.com/iam/docs/service-agents
_AGENTS = {
    "healthcare.googleapis.com": "service-{}@gcp-sa-healthcare.iam.gserviceaccount.com",
    "iap.googleapis.com": "service-{}@gcp-sa-iap.iam.gserviceaccount.com",
    "pubsub.googleapis.com": "service-{}@gcp-sa-pubsub.iam.gserviceaccount.com",
}


def _big_query_policy(lookup: Lookup, wanted: Wanted) -> dict[str, Any] | None:
    dataset = lookup.big_query_dataset(wanted.text("project"), wanted.text("datasetId").last)
    return None if dataset is None else access_as_policy(dataset)


def _big_query_dataset(lookup: Lookup, wanted: Wanted) -> bool:
    found = lookup.big_query_dataset(wanted.text("project"), wanted.text("datasetId"))
    return found is not None


def _big_query_table(lookup: Lookup, wanted: Wanted) -> bool:
    names = [wanted.text(key) for key in ("project", "datasetId", "tableId")]
    return lookup.big_query_table(*names) is not None


def _enabled(lookup: Lookup, wanted: Wanted) -> bool:
    name = wanted.fill("projects/{project}/services/{service}")
    found = lookup.get("serviceusage", "services", name)
    return found is not None and found.get("state") == "ENABLED"


def _audited(lookup: Lookup, wanted: Wanted) -> bool:
    policy = lookup.project_policy(wanted.text("project")) or {}
    audited = policy.get("auditConfigs", [])
    return any(config.get("service") == wanted.text("service") for config in audited)


def agent(lookup: Lookup, project: str, service: str) -> str | None:
    """Return the e-mail address of a service agent; None if it is not known here."""
    number = lookup.project_number(project) if service in _AGENTS else None
    return None if number is None else _AGENTS[service].format(number)


def _agent_exists(lookup: Lookup, wanted: Wanted) -> bool:
    """Return whether the account has a role somewhere, which proves that it exists.

    The agent of Identity-Aware Proxy has none on the project, but calls services of Cloud Run.
    """
    project = wanted.text("project")
    email = agent(lookup, project, wanted.text("service"))
    if email is None:
        return False
    member = f"serviceAccount:{email}"
    return names_member(lookup.project_policy(project), member) or any(
        names_member(lookup.policy("cloudrun", _RUN_SERVICES, name), member)
        for name in sorted(lookup.run_services)
    )


def _metric(lookup: Lookup, wanted: Wanted) -> bool:
    name = wanted.fill("projects/{project}/metrics/{name}")
    return lookup.get("logging", "projects.metrics", name) is not None


def _secret_version(lookup: Lookup, wanted: Wanted) -> bool:
    found = lookup.get("secretmanager", "projects.secrets.versions", wanted.id)
    return found is not None and found["state"] != "DESTROYED"


def _compute(api: str, collection: str = "", location: str = "regions/{region}") -> ResourceType:
    """Return a resource of Compute Engine.

    Args:
        api: its name in the discovery document, such as `regionHealthChecks`
        collection: its name in paths, if it is another one
        location: template of what comes before that
    """

    def exists(lookup: Lookup, wanted: Wanted) -> bool:
        return lookup.compute(api, wanted.id) is not None

    return ResourceType(f"projects/{{project}}/{location}/{collection or api}/{{name}}", exists)


def _of_router(items: str, id_: str) -> ResourceType:
    """Return an item of a list of a router.

    Args:
        items: the list, such as `bgpPeers`
        id_: template of the id
    """

    def exists(lookup: Lookup, wanted: Wanted) -> bool:
        router = f"projects/{wanted.text('project')}/regions/{wanted.text('region')}/routers"
        found = lookup.compute("routers", f"{router}/{wanted.text('router').last}") or {}
        return wanted.text("name") in [one["name"] for one in found.get(items, [])]

    return ResourceType(id_, exists)


def _bucket(lookup: Lookup, wanted: Wanted) -> bool:
    return lookup.bucket(wanted.text("project"), wanted.text("name")) is not None


def _object(lookup: Lookup, wanted: Wanted) -> bool:
    names = (wanted.text("project"), wanted.text("bucket"), wanted.text("name"))
    return lookup.has_object(*names)


def _bucket_policy(lookup: Lookup, wanted: Wanted) -> dict[str, Any] | None:
    return lookup.bucket_policy(wanted.text("project"), wanted.text("bucket").last)


_healthcare = partial(at, "healthcare")
_granted_on = partial(granted_at, "healthcare")

RESOURCE_TYPES: dict[str, ResourceType] = {
    "gcp:projects/service:Service": ResourceType("{project}/{service}", _enabled),
    "gcp:projects/serviceIdentity:ServiceIdentity": ResourceType(
        "projects/{project}/services/{service}", _agent_exists, identity=True
    ),
    "gcp:projects/iAMMember:IAMMember": granted(
        "{project}", lambda lookup, wanted: lookup.project_policy(wanted.text("project"))
    ),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": ResourceType("{project} {service}", _audited),
    "gcp:healthcare/dataset:Dataset": _healthcare(
        _DATASETS, "projects/{project}/locations/{location}/datasets/{name}"
    ),
    "gcp:healthcare/dicomStore:DicomStore": _healthcare(
        f"{_DATASETS}.dicomStores", "{dataset}/dicomStores/{name}"
    ),
    "gcp:healthcare/fhirStore:FhirStore": _healthcare(
        f"{_DATASETS}.fhirStores", "{dataset}/fhirStores/{name}"
    ),
    "gcp:healthcare/hl7Store:Hl7Store": _healthcare(
        f"{_DATASETS}.hl7V2Stores", "{dataset}/hl7V2Stores/{name}"
    ),
    "gcp:healthcare/consentStore:ConsentStore": _healthcare(
        f"{_DATASETS}.consentStores", "{dataset}/consentStores/{name}"
    ),
    "gcp:healthcare/datasetIamMember:DatasetIamMember": _granted_on(_DATASETS, "{datasetId}"),
    "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember": _granted_on(
        f"{_DATASETS}.dicomStores", "{dicomStoreId}"
    ),
    "gcp:healthcare/fhirStoreIamMember:FhirStoreIamMember": _granted_on(
        f"{_DATASETS}.fhirStores", "{fhirStoreId}"
    ),
    "gcp:healthcare/hl7StoreIamMember:Hl7StoreIamMember": _granted_on(
        f"{_DATASETS}.hl7V2Stores", "{hl7V2StoreId}"
    ),
    "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember": _granted_on(
        f"{_DATASETS}.consentStores", "{dataset}/consentStores/{consentStoreId.last}"
    ),
    "gcp:bigquery/dataset:Dataset": ResourceType(
        "projects/{project}/datasets/{datasetId}", _big_query_dataset
    ),
    "gcp:bigquery/table:Table": ResourceType(
        "projects/{project}/datasets/{datasetId}/tables/{tableId}", _big_query_table
    ),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": granted(
        "projects/{project}/datasets/{datasetId.last}", _big_query_policy
    ),
    "gcp:pubsub/topic:Topic": at("pubsub", "projects.topics", "projects/{project}/topics/{name}"),
    "gcp:pubsub/subscription:Subscription": at(
        "pubsub", "projects.subscriptions", "projects/{project}/subscriptions/{name}"
    ),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": granted_at(
        "pubsub", "projects.topics", "projects/{project}/topics/{topic.last}"
    ),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": granted_at(
        "pubsub", "projects.subscriptions", "projects/{project}/subscriptions/{subscription.last}"
    ),
    "gcp:kms/keyRing:KeyRing": at(
        "kms", _RINGS, "projects/{project}/locations/{location}/keyRings/{name}"
    ),
    "gcp:kms/cryptoKey:CryptoKey": at("kms", f"{_RINGS}.cryptoKeys", "{keyRing}/cryptoKeys/{name}"),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": granted_at(
        "kms", f"{_RINGS}.cryptoKeys", "{cryptoKeyId}"
    ),
    "gcp:logging/projectSink:ProjectSink": at(
        "logging", "projects.sinks", "projects/{project}/sinks/{name}"
    ),
    "gcp:logging/metric:Metric": ResourceType("{name}", _metric),
    # Google names these two: a program does not know the name of one that exists.
    "gcp:monitoring/alertPolicy:AlertPolicy": at("monitoring", "projects.alertPolicies", "{name}"),
    "gcp:monitoring/notificationChannel:NotificationChannel": at(
        "monitoring", "projects.notificationChannels", "{name}"
    ),
    "gcp:secretmanager/secret:Secret": at(
        "secretmanager", "projects.secrets", "projects/{project}/secrets/{secretId}"
    ),
    # Google names a version by a number: a program does not know the name of one that exists.
    "gcp:secretmanager/secretVersion:SecretVersion": ResourceType("{name}", _secret_version),
    "gcp:secretmanager/secretIamMember:SecretIamMember": granted_at(
        "secretmanager", "projects.secrets", "projects/{project}/secrets/{secretId.last}"
    ),
    **{
        f"gcp:cloudrunv2/{name}:{name[0].upper()}{name[1:]}": at(
            "cloudrun", f"projects.locations.{name}s", f"{_LOCATION}/{name}s/{{name}}"
        )
        for name in _CLOUD_RUN
    },
    **{
        f"gcp:cloudrunv2/{name}IamMember:{name[0].upper()}{name[1:]}IamMember": granted_at(
            "cloudrun", f"projects.locations.{name}s", f"{_LOCATION}/{name}s/{{name.last}}"
        )
        for name in _CLOUD_RUN
    },
    "gcp:iap/webCloudRunServiceIamMember:WebCloudRunServiceIamMember": granted_at(
        "iap",
        "v1",
        "projects/{project}/iap_web/cloud_run-{location}/services/{cloudRunServiceName.last}",
    ),
    "gcp:artifactregistry/repository:Repository": at(
        "artifactregistry", _REPOSITORIES, f"{_REPOSITORY}/{{repositoryId}}"
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": granted_at(
        "artifactregistry", _REPOSITORIES, f"{_REPOSITORY}/{{repository.last}}"
    ),
    "gcp:serviceaccount/account:Account": at(
        "iam",
        "projects.serviceAccounts",
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": granted_at(
        "iam", "projects.serviceAccounts", "{serviceAccountId}"
    ),
    "gcp:compute/address:Address": _compute("addresses"),
    "gcp:compute/externalVpnGateway:ExternalVpnGateway": _compute(
        "externalVpnGateways", location="global"
    ),
    "gcp:compute/firewall:Firewall": _compute("firewalls", location="global"),
    "gcp:compute/forwardingRule:ForwardingRule": _compute("forwardingRules"),
    **{
        f"gcp:compute/{name}": _compute(api, collection, "global")
        for name, api, collection in _GLOBAL
    },
    "gcp:compute/haVpnGateway:HaVpnGateway": _compute("vpnGateways"),
    "gcp:compute/instanceTemplate:InstanceTemplate": _compute(
        "instanceTemplates", location="global"
    ),
    "gcp:compute/regionBackendService:RegionBackendService": _compute(
        "regionBackendServices", "backendServices"
    ),
    "gcp:compute/regionHealthCheck:RegionHealthCheck": _compute(
        "regionHealthChecks", "healthChecks"
    ),
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": _compute(
        "regionInstanceGroupManagers", "instanceGroupManagers"
    ),
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": _compute(
        "regionNetworkEndpointGroups", "networkEndpointGroups"
    ),
    "gcp:compute/router:Router": _compute("routers"),
    "gcp:compute/routerInterface:RouterInterface": _of_router(
        "interfaces", "{project}/{region}/{router.last}/{name}"
    ),
    "gcp:compute/routerPeer:RouterPeer": _of_router(
        "bgpPeers", "projects/{project}/regions/{region}/routers/{router.last}/{name}"
    ),
    "gcp:compute/subnetwork:Subnetwork": _compute("subnetworks"),
    "gcp:compute/vPNTunnel:VPNTunnel": _compute("vpnTunnels"),
    "gcp:storage/bucket:Bucket": ResourceType("{name}", _bucket),
    "gcp:storage/bucketObject:BucketObject": ResourceType(
        "{bucket}-{name}", _object, repeatable=True
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": granted("{bucket.last}", _bucket_policy),
}
