"""The error of a call whose caller lacks a permission, as each service words it.

Observed in public reports: the texts of Healthcare, Cloud Storage, BigQuery, Pub/Sub, Compute
Engine and Resource Manager, and the `ErrorInfo` with the reason `IAM_PERMISSION_DENIED`.
"""

from emulator.access.rules import BIGQUERY, COMPUTE, PROJECTS, PUBSUB, STORAGE, Requirement
from emulator.core.errors import ApiError
from emulator.services.bigquery.errors import BigQueryError
from emulator.services.compute.errors import ComputeError
from emulator.services.storage.errors import StorageError


def refusal(member: str, missing: Requirement) -> ApiError:
    """Return the error of a call.

    Args:
        member: the caller, as IAM writes it
        missing: what the caller lacks
    """
    if missing.service == STORAGE:
        return _storage(member, missing)
    if missing.service == BIGQUERY:
        return _bigquery(missing)
    if missing.service == COMPUTE:
        return _compute(missing)
    if missing.service == PUBSUB:
        message = "User not authorized to perform this action."
    elif missing.service == PROJECTS:
        message = "The caller does not have permission"
    else:
        message = (
            f"Permission '{missing.permission}' denied on resource "
            f"'//{missing.service}.googleapis.com/{missing.resource}' (or it may not exist)."
        )
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": missing.permission, "resource": missing.resource},
    }
    return ApiError(403, "PERMISSION_DENIED", message, [info])


def _compute(missing: Requirement) -> ComputeError:
    return ComputeError(
        403, "forbidden", f"Required '{missing.permission}' permission for '{missing.resource}'"
    )


def _storage(member: str, missing: Requirement) -> StorageError:
    where = "object" if ".objects." in missing.permission else "bucket"
    where = "project" if missing.resource.startswith("projects/") else where
    email = member.partition(":")[2] or member
    return StorageError(
        403,
        f"{email} does not have {missing.permission} access to the Google Cloud Storage {where}. "
        f"Permission '{missing.permission}' denied on resource (or it may not exist).",
    )


def _bigquery(missing: Requirement) -> BigQueryError:
    parts = missing.resource.split("/")
    name = f"Dataset {parts[1]}:{parts[3]}" if len(parts) > 3 else f"Project {parts[1]}"
    return BigQueryError(
        403,
        "accessDenied",
        f"Access Denied: {name}: User does not have {missing.permission} permission on it, or it "
        "does not exist.",
    )
