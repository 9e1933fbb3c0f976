"""The table of policies. A rule that is not in it does not run."""

from policy.model import ConfigKey, Level, Policy, ResourcePolicy, Severity, StackPolicy
from policy.rules import (
    access,
    balancers,
    locations,
    network,
    ownership,
    production,
    project_iam,
    workloads,
)


def _texts(name: str, default: tuple[str, ...], text: str) -> ConfigKey:
    """Return a configuration key that is a list of texts."""
    schema = {"type": "array", "items": {"type": "string"}, "default": list(default)}
    return ConfigKey(name, schema, text)


def _text(name: str, default: str, text: str) -> ConfigKey:
    """Return a configuration key that is one text."""
    return ConfigKey(name, {"type": "string", "default": default}, text)


ENVIRONMENT = _text(
    "environment",
    "",
    "`production` or any other word; takes precedence over labels. Empty reads the label "
    "`environment` of the stack's resources.",
)

POLICIES: tuple[Policy, ...] = (
    ResourcePolicy(
        name="allowed-locations",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="Data stays in the allowed locations.",
        why="Where medical data is kept is a matter of law, and a move means copying all of it.",
        hint="Choose an allowed location, or have this one added to the policy's list.",
        config=(
            _texts(
                "locations",
                (),
                "Regions and multi-regions, in any case; `*` and `?` are wildcards. Empty takes "
                "the stack's `allowedLocations`; if that is empty too, every location is allowed.",
            ),
            _text(
                "source",
                "",
                "The file and key of the list, for the message; set for the stack's own list.",
            ),
        ),
        check=locations.allowed,
    ),
    StackPolicy(
        name="one-location",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="BigQuery and Healthcare datasets of a stack are in one location.",
        why="Between two locations exports fail, or medical data leaves where it belongs.",
        hint="Give both datasets one location; a second location needs its own stack.",
        check=locations.together,
    ),
    ResourcePolicy(
        name="no-public-access",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="Nothing is open to allUsers or allAuthenticatedUsers.",
        why="allAuthenticatedUsers is anyone with a Google account, allUsers anyone at all.",
        hint="Name the people, groups or service accounts that need the access.",
        check=access.public,
    ),
    ResourcePolicy(
        name="no-external-addresses",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="Instances, addresses, load balancers and Dataflow workers have no external address.",
        why="What has an external address can be reached and attacked from the internet.",
        hint="Leave accessConfigs out, set addressType and loadBalancingScheme to INTERNAL and "
        "ipConfiguration to WORKER_IP_PRIVATE, and let peers connect by a VPN.",
        check=network.no_external_addresses,
    ),
    ResourcePolicy(
        name="no-public-ranges",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="Firewall rules admit connections from private ranges alone.",
        why="DIMSE and MLLP have no sign-in: the network decides who may send and read.",
        hint="Name the private ranges of the hospital's network; a public one that is needed goes "
        "in ranges.",
        config=(
            _texts(
                "ranges",
                network.HEALTH_CHECKS,
                "Public ranges that may connect; the default is that of Google's health checks.",
            ),
        ),
        check=network.private_ranges,
    ),
    ResourcePolicy(
        name="no-open-services",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="Cloud Run services have IAM or Identity-Aware Proxy before them.",
        why="A service that everybody may invoke is on the internet with its account's roles.",
        hint="Set iapEnabled, or leave invokerIamDisabled out; a service that verifies callers "
        "itself, such as a gateway with oidc, goes in services.",
        config=(_texts("services", (), "Names of services that verify callers themselves."),),
        check=network.guarded_services,
    ),
    StackPolicy(
        name="guarded-load-balancers",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="External load balancers have a security policy and TLS 1.2, and no way around them.",
        why="Without them the internet reaches a service unfiltered, or by broken encryption.",
        hint="Set securityPolicy of the backend service, and sslPolicy of the proxy with "
        "minTlsVersion TLS_1_2; let port 80 redirect.",
        check=balancers.guarded,
    ),
    ResourcePolicy(
        name="no-primitive-roles",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="No basic role (owner, editor, viewer) is granted.",
        why="A basic role reaches every service of a project, today's and tomorrow's.",
        hint="Grant the predefined role for the task, on the narrowest resource that has it.",
        config=(_texts("roles", access.PRIMITIVE_ROLES, "The roles that no member may have."),),
        check=access.primitive,
    ),
    StackPolicy(
        name="no-project-roles-for-workloads",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="Service accounts of the stack have no roles on the project.",
        why="A program that is attacked has every role of its account, on every store.",
        hint="Grant the role on the store, the subscription or the secret that the program uses.",
        config=(_texts("roles", workloads.PROJECT_ROLES, "The roles that nothing narrower has."),),
        check=workloads.narrow_roles,
    ),
    ResourcePolicy(
        name="no-authoritative-project-iam",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="No IAM policy, binding or foreign audit config is taken over above the datasets.",
        why="It silently removes what others granted on the project, and can lock everyone out.",
        hint="Use resources that add: IAMMember for a grant.",
        config=(
            _texts(
                "auditServices",
                ("healthcare.googleapis.com",),
                "The services whose audit config the stack may own; it replaces that of no other.",
            ),
        ),
        check=project_iam.additive,
    ),
    ResourcePolicy(
        name="required-labels",
        level=Level.ADVISORY,
        severity=Severity.MEDIUM,
        what="Resources carry the required labels.",
        why="Labels show what a resource is for, who pays, and whether the stack is production.",
        hint="Set them for the whole stack, in its configuration key `labels`.",
        config=(_texts("labels", (production.LABEL,), "The keys of the labels."),),
        check=ownership.labelled,
    ),
    StackPolicy(
        name="production-customer-keys",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="In production, data is encrypted with customer-managed keys.",
        why="Only with a customer-managed key can access to the data be withdrawn from everyone.",
        hint="Set a Cloud KMS key of the same location; a change of it replaces the resource.",
        config=(ENVIRONMENT,),
        check=production.customer_keys,
    ),
    StackPolicy(
        name="production-audit-logs",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="In production, every access to Healthcare data is logged.",
        why="Who saw a patient's data must be answerable, and reads are logged only on demand.",
        hint="Add an IAMAuditConfig of the service with all log types; if the organisation does "
        "that, set this policy's enforcementLevel to disabled.",
        config=(
            ENVIRONMENT,
            _text("service", "healthcare.googleapis.com", "The service that is logged."),
            _texts("logTypes", production.LOG_TYPES, "What is logged."),
        ),
        check=production.audit_logs,
    ),
    StackPolicy(
        name="production-deletion-protection",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="In production, datasets are protected against deletion.",
        why="Deleting a dataset deletes every store, image and table in it; none can be restored.",
        hint="Set protect or deletionPolicy PREVENT, and deleteContentsOnDestroy to false.",
        config=(ENVIRONMENT,),
        check=production.deletion_protection,
    ),
    StackPolicy(
        name="production-no-lab-roles",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="In production, the Healthcare service agent has none of the lab's project roles.",
        why="They let it delete every object, table and dataset of the project.",
        hint="Grant the agent only what the features in use need, on the bucket, the BigQuery "
        "dataset, the topic or the key itself.",
        config=(
            ENVIRONMENT,
            _texts("roles", access.LAB_ROLES, "The roles that the agent may not have."),
        ),
        check=access.lab_roles,
    ),
    StackPolicy(
        name="production-adapter-tls",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="In production, adapters speak TLS with peers.",
        why="DIMSE and MLLP are plain text without it: anyone on the path can read patient data.",
        hint="Set tls of the adapter, tls of the peer in aets, and ca of an outgoing side of MLLP.",
        config=(ENVIRONMENT,),
        check=workloads.adapter_tls,
    ),
)
"""All policies, in the order of docs/policies.md."""
