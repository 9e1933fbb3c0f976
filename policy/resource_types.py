"""Type tokens of the gcp provider that the rules name."""

HEALTHCARE_DATASET = "gcp:healthcare/dataset:Dataset"
BIGQUERY_DATASET = "gcp:bigquery/dataset:Dataset"
SERVICE_IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"

AUDIT_CONFIG = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
AUDIT_CONFIGS_ABOVE = frozenset(
    {
        "gcp:folder/iamAuditConfig:IamAuditConfig",
        "gcp:organizations/iamAuditConfig:IamAuditConfig",
    }
)
"""Audit configs of what contains projects."""

AUTHORITATIVE_IAM = frozenset(
    f"gcp:{scope}/iAM{suffix}:IAM{suffix}"
    for scope in ("projects", "folder", "organizations")
    for suffix in ("Policy", "Binding")
)
"""IAM resources of a project, or of what contains it, that take roles from everyone else."""

GRANTS = frozenset(
    f"gcp:{scope}/iAM{suffix}:IAM{suffix}"
    for scope in ("projects", "folder", "organizations")
    for suffix in ("Member", "Binding")
)
"""IAM resources that give one role on a project, or on what contains it."""

REVOCATION = "gcp:projects/iamMemberRemove:IamMemberRemove"
"""Removes a role: the member that it names loses it."""

FIREWALL = "gcp:compute/firewall:Firewall"
INSTANCE_TEMPLATE = "gcp:compute/instanceTemplate:InstanceTemplate"
SERVICE = "gcp:cloudrunv2/service:Service"
WORKER_POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
SERVICE_ACCOUNT = "gcp:serviceaccount/account:Account"

HTTP_PROXY = "gcp:compute/targetHttpProxy:TargetHttpProxy"
HTTPS_PROXY = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
SSL_POLICY = "gcp:compute/sSLPolicy:SSLPolicy"
URL_MAP = "gcp:compute/uRLMap:URLMap"
ENDPOINT_GROUP = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
BACKEND_SERVICES = {
    "gcp:compute/backendService:BackendService": "EXTERNAL",
    "gcp:compute/regionBackendService:RegionBackendService": "INTERNAL",
}
"""Backend services -> their load balancing scheme unless they name one."""

WITH_INTERFACES = frozenset(
    {
        INSTANCE_TEMPLATE,
        "gcp:compute/instance:Instance",
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
    }
)
"""Instances, and templates of them."""

EXTERNAL_BY_DEFAULT = {
    "gcp:compute/address:Address": "addressType",
    "gcp:compute/forwardingRule:ForwardingRule": "loadBalancingScheme",
}
"""Resources with an external address unless the property says otherwise."""

DATAFLOW_JOBS = frozenset({"gcp:dataflow/flexTemplateJob:FlexTemplateJob", "gcp:dataflow/job:Job"})
"""Jobs whose workers have external addresses unless `ipConfiguration` says otherwise."""
BUCKET_OBJECT = "gcp:storage/bucketObject:BucketObject"
"""An object, which may be a flex template of Dataflow."""

LABELLED = frozenset(
    {
        INSTANCE_TEMPLATE,
        SERVICE,
        WORKER_POOL,
        "gcp:artifactregistry/repository:Repository",
        "gcp:bigquery/dataset:Dataset",
        "gcp:compute/address:Address",
        "gcp:compute/forwardingRule:ForwardingRule",
        "gcp:compute/globalAddress:GlobalAddress",
        "gcp:compute/globalForwardingRule:GlobalForwardingRule",
        "gcp:compute/securityPolicy:SecurityPolicy",
        "gcp:healthcare/consentStore:ConsentStore",
        "gcp:healthcare/dicomStore:DicomStore",
        "gcp:healthcare/fhirStore:FhirStore",
        "gcp:healthcare/hl7Store:Hl7Store",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:pubsub/subscription:Subscription",
        "gcp:pubsub/topic:Topic",
        "gcp:storage/bucket:Bucket",
    }
)
"""Resources that can carry labels, of the kinds that a Healthcare stack is made of."""
