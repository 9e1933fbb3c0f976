"""Clients of the Google services, made from the environment that Google's own libraries read.

Nothing here knows where the services are: the endpoints come from the variables
`GOOGLE_*_CUSTOM_ENDPOINT`, which the Google provider of Pulumi reads too, and from
`BIGQUERY_EMULATOR_HOST`; without them, Google Cloud is meant.
"""

import os
import re
from typing import TYPE_CHECKING, Any

import google.auth
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials as AccessToken
from googleapiclient.discovery import build

if TYPE_CHECKING:
    from google.cloud import bigquery
    from google.cloud.storage import Client as StorageClient

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
HEALTHCARE_ROOT = "https://healthcare.googleapis.com/"

_VERSION = re.compile(r"/v\d[a-z0-9]*/?$")


def credentials() -> Credentials:
    """Take the access token that Pulumi's Google provider takes, else the application default.

    The local Google Cloud gives one, so that nothing is asked elsewhere: for a service account's
    key google-auth looks up the regions it is allowed in at Google itself, whatever its addresses.
    """
    if token := os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN"):
        return AccessToken(token)  # type: ignore[no-untyped-call]
    found, _ = google.auth.default(scopes=SCOPES)
    return found


def endpoint(variable: str) -> str | None:
    """Read an endpoint, without the version that the Pulumi provider wants behind it.

    Returns:
        The API's root with a slash at its end, or None for Google's own.
    """
    value = os.environ.get(variable, "")
    return _VERSION.sub("", value).rstrip("/") + "/" if value else None


def _discovered(service: str, version: str, variable: str) -> Any:
    root = endpoint(variable)
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


def resource_manager() -> Any:
    """Make a client of the Resource Manager API, v1 (projects and their IAM policy)."""
    return _discovered("cloudresourcemanager", "v1", "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT")


def pubsub() -> Any:
    """Make a client of the Pub/Sub API, v1 (topics, subscriptions)."""
    return _discovered("pubsub", "v1", "GOOGLE_PUBSUB_CUSTOM_ENDPOINT")


def service_usage() -> Any:
    """Make a client of the Service Usage API, v1 (which services are enabled)."""
    return _discovered("serviceusage", "v1", "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT")


def key_management() -> Any:
    """Make a client of Cloud KMS, v1 (key rings, keys)."""
    return _discovered("cloudkms", "v1", "GOOGLE_KMS_CUSTOM_ENDPOINT")


def cloud_storage(project: str) -> "StorageClient":
    """Make a Cloud Storage client; the library itself honours STORAGE_EMULATOR_HOST."""
    from google.cloud.storage import Client

    return Client(project=project, credentials=credentials())


def big_query(project: str, location: str | None = None) -> "bigquery.Client":
    """Make a BigQuery client; the library itself honours BIGQUERY_EMULATOR_HOST."""
    # Half a second to import (it brings pyarrow along), which an import of files need not wait for.
    from google.cloud import bigquery

    return bigquery.Client(project=project, location=location, credentials=credentials())


def session() -> AuthorizedSession:
    """Make a session that sends the credentials along, for what no client library covers."""
    return AuthorizedSession(credentials())  # type: ignore[no-untyped-call]


def dicom_web(store: str) -> tuple[AuthorizedSession, str]:
    """Make a session for DICOMweb and give the service root of a store."""
    root = endpoint("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT") or HEALTHCARE_ROOT
    return session(), f"{root}v1/{store}/dicomWeb"
