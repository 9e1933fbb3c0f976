"""Clients of the Google services, from the environment variables of Google's own libraries.

The endpoints come from the variables
`GOOGLE_*_CUSTOM_ENDPOINT`, which the Google provider of Pulumi reads too, and from
`BIGQUERY_EMULATOR_HOST`; without them, the clients call Google Cloud.
"""

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials as AccessToken
from googleapiclient.discovery import build

from scripts.lib.errors import ScriptError
from scripts.lib.google.errors import LOG_IN

if TYPE_CHECKING:
    from google.cloud import bigquery
    from google.cloud.storage import Client as StorageClient

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
HEALTHCARE_ROOT = "https://healthcare.googleapis.com/"

_VERSION = re.compile(r"/v\d[a-z0-9]*/?$")


def credentials() -> Credentials:
    """Return the access token of Pulumi's Google provider, or the application default credentials.

    The local Google Cloud sets an access token, so that no request leaves the machine: for a key
    of a service account google-auth asks Google for the allowed regions.

    Raises:
        ScriptError: there are no credentials
    """
    if token := os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN"):
        return AccessToken(token)  # type: ignore[no-untyped-call]
    try:
        found, _ = google.auth.default(scopes=SCOPES)
    except DefaultCredentialsError as error:
        raise ScriptError("No Google Cloud credentials were found.", LOG_IN) from error
    return found


def endpoint(variable: str) -> str | None:
    """Read an endpoint, without the version that the Pulumi provider needs at its end.

    Returns:
        The API's root with a slash at its end, or None for Google's own.
    """
    value = os.environ.get(variable, "")
    return _VERSION.sub("", value).rstrip("/") + "/" if value else None


def _discovered(service: str, version: str, variable: str) -> Any:
    # The paths of Compute Engine lack the first part of its endpoint, with the version.
    root = os.environ.get(variable) if service == "compute" else endpoint(variable)
    return build(
        service,
        version,
        credentials=credentials(),
        client_options={"api_endpoint": root} if root else None,
        static_discovery=True,
        cache_discovery=False,
    )


def healthcare() -> Any:
    """Make a client of the Healthcare API, v1; its methods come from the discovery document."""
    return _discovered("healthcare", "v1", "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT")


@lru_cache(maxsize=8)
def operations_of(healthcare_client: Any) -> Any:
    """Return the operations of a Healthcare client: to make such a collection takes 25 ms."""
    return healthcare_client.projects().locations().datasets().operations()


def resource_manager() -> Any:
    """Make a client of the Resource Manager API, v1 (projects and their IAM policy)."""
    return _discovered("cloudresourcemanager", "v1", "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT")


def pubsub() -> Any:
    """Make a client of the Pub/Sub API, v1 (topics, subscriptions)."""
    return _discovered("pubsub", "v1", "GOOGLE_PUBSUB_CUSTOM_ENDPOINT")


def iam() -> Any:
    """Make a client of the IAM API, v1 (roles)."""
    return _discovered("iam", "v1", "GOOGLE_IAM_CUSTOM_ENDPOINT")


def service_usage() -> Any:
    """Make a client of the Service Usage API, v1 (which services are enabled)."""
    return _discovered("serviceusage", "v1", "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT")


def key_management() -> Any:
    """Make a client of Cloud KMS, v1 (key rings, keys)."""
    return _discovered("cloudkms", "v1", "GOOGLE_KMS_CUSTOM_ENDPOINT")


def cloud_logging() -> Any:
    """Make a client of Cloud Logging, v2 (log entries, sinks, log-based metrics)."""
    return _discovered("logging", "v2", "GOOGLE_LOGGING_CUSTOM_ENDPOINT")


def cloud_monitoring() -> Any:
    """Make a client of Cloud Monitoring, v3 (alert policies, notification channels)."""
    return _discovered("monitoring", "v3", "GOOGLE_MONITORING_CUSTOM_ENDPOINT")


def cloud_run() -> Any:
    """Make a client of Cloud Run, v2 (services, jobs, worker pools)."""
    return _discovered("run", "v2", "GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT")


def dataflow() -> Any:
    """Make a client of Dataflow, v1b3 (flex templates, jobs)."""
    return _discovered("dataflow", "v1b3", "GOOGLE_DATAFLOW_CUSTOM_ENDPOINT")


def identity_aware_proxy() -> Any:
    """Make a client of Identity-Aware Proxy, v1 (policies of who passes)."""
    return _discovered("iap", "v1", "GOOGLE_IAP_CUSTOM_ENDPOINT")


def secret_manager() -> Any:
    """Make a client of Secret Manager, v1 (secrets, versions)."""
    return _discovered("secretmanager", "v1", "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT")


def artifact_registry() -> Any:
    """Make a client of Artifact Registry, v1 (repositories)."""
    return _discovered("artifactregistry", "v1", "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT")


def compute_engine() -> Any:
    """Make a client of Compute Engine, v1 (groups of instances, load balancers, VPN)."""
    return _discovered("compute", "v1", "GOOGLE_COMPUTE_CUSTOM_ENDPOINT")


def cloud_storage(project: str) -> "StorageClient":
    """Make a Cloud Storage client; the library reads STORAGE_EMULATOR_HOST."""
    from google.cloud.storage import Client

    return Client(project=project, credentials=credentials())


def big_query(project: str, location: str | None = None) -> "bigquery.Client":
    """Make a BigQuery client; the library reads BIGQUERY_EMULATOR_HOST."""
    # Its import takes half a second (it imports pyarrow), and an import of files does not need it.
    from google.cloud import bigquery

    return bigquery.Client(project=project, location=location, credentials=credentials())


def session() -> AuthorizedSession:
    """Make a session with credentials, for calls that no client library covers."""
    return AuthorizedSession(credentials())  # type: ignore[no-untyped-call]


def healthcare_root() -> str:
    """Return the address of the Healthcare API, with a slash at its end."""
    return endpoint("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT") or HEALTHCARE_ROOT


def dicom_web(store: str) -> tuple[AuthorizedSession, str]:
    """Make a session for DICOMweb; return it with the service root of a store."""
    return session(), f"{healthcare_root()}v1/{store}/dicomWeb"
