"""The table of policies. A rule that is not in it does not run."""

from policy.model import ConfigKey, Level, Policy, ResourcePolicy, Severity, StackPolicy
from policy.rules import access, locations, ownership, production, project_iam


def _texts(name: str, default: tuple[str, ...], text: str) -> ConfigKey:
    """A configuration key that is a list of texts."""
    schema = {"type": "array", "items": {"type": "string"}, "default": list(default)}
    return ConfigKey(name, schema, text)


def _text(name: str, default: str, text: str) -> ConfigKey:
    """A configuration key that is one text."""
    return ConfigKey(name, {"type": "string", "default": default}, text)


ENVIRONMENT = _text(
    "environment",
    "",
    "What the stack is, whatever its labels say: `production` or any other word. Empty asks the "
    "label `environment` of its resources.",
)

POLICIES: tuple[Policy, ...] = (
    ResourcePolicy(
        name="allowed-locations",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="Data stays in the allowed locations.",
        why="Where medical data is kept is a matter of law, and a move means copying all of it.",
        cure="Choose an allowed location, or have this one added to the policy's locations.",
        config=(
            _texts(
                "locations",
                ("us", "us-*"),
                "Regions and multi-regions; `*` and `?` are wildcards, case does not count.",
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
        cure="Give both datasets one location; a second location wants a stack of its own.",
        check=locations.together,
    ),
    ResourcePolicy(
        name="no-public-access",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="Nothing is open to allUsers or allAuthenticatedUsers.",
        why="allAuthenticatedUsers is anyone with a Google account, allUsers anyone at all.",
        cure="Name the people, groups or service accounts that need the access.",
        check=access.public,
    ),
    ResourcePolicy(
        name="no-primitive-roles",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="No basic role (owner, editor, viewer) is granted.",
        why="A basic role reaches every service of a project, today's and tomorrow's.",
        cure="Grant the predefined role for the task, on the narrowest resource that has it.",
        config=(_texts("roles", access.PRIMITIVE_ROLES, "The roles that nobody may be given."),),
        check=access.primitive,
    ),
    ResourcePolicy(
        name="no-authoritative-project-iam",
        level=Level.MANDATORY,
        severity=Severity.CRITICAL,
        what="No IAM policy, binding or foreign audit config is taken over above the datasets.",
        why="It silently removes what others granted on the project, and can lock everyone out.",
        cure="Use resources that add: IAMMember for a grant.",
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
        why="Without them nobody can tell what a resource is for, who pays, and whether the "
        "stack is production.",
        cure="Set them for the whole stack, in its configuration key `labels`.",
        config=(_texts("labels", (production.LABEL,), "The keys of the labels."),),
        check=ownership.labelled,
    ),
    StackPolicy(
        name="production-customer-keys",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="In production, data is encrypted with customer-managed keys.",
        why="Only with a key of one's own can access to the data be withdrawn from everyone.",
        cure="Set a Cloud KMS key of the same location; a change of it replaces the resource.",
        config=(ENVIRONMENT,),
        check=production.customer_keys,
    ),
    StackPolicy(
        name="production-audit-logs",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="In production, every access to Healthcare data is logged.",
        why="Who saw a patient's data must be answerable, and reads are logged only on demand.",
        cure="Add an IAMAuditConfig of the service with all log types; if the organisation does "
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
        why="Deleting a dataset deletes every store, image and table in it, beyond recall.",
        cure="Set protect or deletionPolicy PREVENT, and deleteContentsOnDestroy to false.",
        config=(ENVIRONMENT,),
        check=production.deletion_protection,
    ),
    StackPolicy(
        name="production-no-lab-roles",
        level=Level.MANDATORY,
        severity=Severity.HIGH,
        what="In production, the Healthcare service agent has none of the lab's project roles.",
        why="They let it delete every object, table and dataset of the project.",
        cure="Grant the agent only what the features in use need, on the bucket, the BigQuery "
        "dataset, the topic or the key itself.",
        config=(
            ENVIRONMENT,
            _texts("roles", access.LAB_ROLES, "The roles that the agent may not have."),
        ),
        check=access.lab_roles,
    ),
)
"""All policies, in the order of docs/policies.md."""
