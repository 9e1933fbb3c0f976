"""The services that a project has enabled.

Inferred (conformance: service-unknown-text): the text of a refusal.
"""

import difflib
from collections.abc import Set
from functools import cache

from emulator.core import discovery
from emulator.core.database import Database
from emulator.core.errors import ApiError, permission_denied
from emulator.services.iam.service_accounts import ServiceAccounts
from emulator.services.resourcemanager.models import Projects

SCHEMA = """
CREATE TABLE IF NOT EXISTS enabled_services (
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    PRIMARY KEY (project, service)
);
"""
TITLES = {
    "artifactregistry.googleapis.com": "Artifact Registry API",
    "bigquery.googleapis.com": "BigQuery API",
    "bigquerystorage.googleapis.com": "BigQuery Storage API",
    "cloudkms.googleapis.com": "Cloud Key Management Service (KMS) API",
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
    "compute.googleapis.com": "Compute Engine API",
    "dataflow.googleapis.com": "Dataflow API",
    "healthcare.googleapis.com": "Cloud Healthcare API",
    "iap.googleapis.com": "Cloud Identity-Aware Proxy API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "logging.googleapis.com": "Cloud Logging API",
    "pubsub.googleapis.com": "Cloud Pub/Sub API",
    "run.googleapis.com": "Cloud Run Admin API",
    "secretmanager.googleapis.com": "Secret Manager API",
    "serviceusage.googleapis.com": "Service Usage API",
    "storage.googleapis.com": "Cloud Storage API",
}
"""The services that the emulator itself has to do with; the others are titled by their names."""

ALWAYS_ENABLED = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")


@cache
def known() -> frozenset[str]:
    """Every service that can be enabled."""
    return discovery.services() | TITLES.keys()


def title(service: str) -> str:
    """Return the display name of a service."""
    return TITLES.get(service, service)


class Services:
    """The services of all projects."""

    def __init__(
        self, database: Database, projects: Projects, accounts: ServiceAccounts, all_enabled: bool
    ) -> None:
        self._database = database
        self._projects = projects
        self._accounts = accounts
        self._all_enabled = all_enabled

    def enabled(self, project: str) -> Set[str]:
        """Return the services that a project has enabled."""
        if self._all_enabled:
            return known()
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT service FROM enabled_services WHERE project = ?", (project,)
            ).fetchall()
        return {*ALWAYS_ENABLED, *(row["service"] for row in rows)}

    def enable(self, project: str, services: list[str]) -> None:
        """Enable services; those that are enabled stay so.

        Raises:
            ApiError: 403 for a service that does not exist, before any is enabled.
        """
        for service in services:
            self.check(service)
        with self._database.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO enabled_services VALUES (?, ?)",
                [(project, service) for service in services],
            )

    def disable(self, project: str, service: str) -> None:
        """Disable a service."""
        self.check(service)
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM enabled_services WHERE project = ? AND service = ?", (project, service)
            )

    def check(self, service: str) -> None:
        """Refuse a service that the emulator does not know.

        Raises:
            ApiError: 403, as the real one answers it.
        """
        if service in known():
            return
        alike = difflib.get_close_matches(service, known(), 1)
        raise permission_denied(
            f"Not found or permission denied for service(s): {service}."
            + (f" Did you mean {alike[0]}?" if alike else "")
        )

    def require(self, project: str, service: str) -> None:
        """Refuse a call to a service that the project has not enabled.

        Raises:
            ApiError: 403 PERMISSION_DENIED with the reason SERVICE_DISABLED.
        """
        if service in self.enabled(project):
            return
        raise ApiError(
            403,
            "PERMISSION_DENIED",
            f"{title(service)} has not been used in project {project} before or it is disabled. "
            f"Enable it (gcloud services enable {service}) and retry.",
            [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "SERVICE_DISABLED",
                    "domain": "googleapis.com",
                    "metadata": {"service": service, "consumer": f"projects/{project}"},
                }
            ],
        )

    def make_identity(self, project: str, service: str) -> str:
        """Create the service agent of a service, and return its address.

        Raises:
            ApiError: 400 for a service without a service agent, 403 for an unknown service.
        """
        self.check(service)
        number = self._projects.number_of(project)
        return self._accounts.create_agent(project, number, service)
