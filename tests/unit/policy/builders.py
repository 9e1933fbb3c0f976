"""Resources as short as the rules need them."""

from typing import Any

from policy.model import Resource

AGENT = "serviceAccount:service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com"
LOG_TYPES = [{"logType": log_type} for log_type in ("ADMIN_READ", "DATA_READ", "DATA_WRITE")]
IDENTITY_TYPE = "gcp:projects/serviceIdentity:ServiceIdentity"
STACK_TYPE = "pulumi:pulumi:Stack"


def resource(token: str, props: dict[str, Any] | None = None, **rest: Any) -> Resource:
    """A resource; its name defaults to the last part of its type."""
    name = rest.pop("name", token.rpartition(":")[2].lower())
    urn = f"urn:pulumi:s::p::{token}::{name}"
    return Resource(type=token, name=name, urn=urn, props=props or {}, **rest)


def dataset(props: dict[str, Any] | None = None, **rest: Any) -> Resource:
    """A Healthcare dataset in us-central1."""
    given = {"location": "us-central1", **(props or {})}
    return resource("gcp:healthcare/dataset:Dataset", given, **{"name": "healthcare", **rest})


def bigquery_dataset(props: dict[str, Any] | None = None, **rest: Any) -> Resource:
    """A BigQuery dataset in us-central1."""
    given = {"location": "us-central1", **(props or {})}
    return resource("gcp:bigquery/dataset:Dataset", given, **{"name": "warehouse", **rest})


def store(labels: Any = None, **rest: Any) -> Resource:
    """A DICOM store."""
    return resource("gcp:healthcare/dicomStore:DicomStore", {"labels": labels}, **rest)


def production_store() -> Resource:
    """A DICOM store whose label says production."""
    return store({"environment": "production"}, name="images")


def grant(role: Any, member: Any = "user:a@example.com", **rest: Any) -> Resource:
    """A role on the project for one member."""
    props = {"project": "p", "role": role, "member": member}
    return resource("gcp:projects/iAMMember:IAMMember", props, **rest)


def audit(props: dict[str, Any] | None = None, **rest: Any) -> Resource:
    """An audit config of the Healthcare API that logs everything."""
    given = {
        "project": "p",
        "service": "healthcare.googleapis.com",
        "auditLogConfigs": LOG_TYPES,
        **(props or {}),
    }
    return resource("gcp:projects/iAMAuditConfig:IAMAuditConfig", given, **rest)
