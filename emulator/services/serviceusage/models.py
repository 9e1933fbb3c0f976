"""Which services a project has enabled, and the identities that services act under."""

import difflib

from emulator import discovery
from emulator.database import Database
from emulator.errors import ApiError, invalid_argument, permission_denied
from emulator.resourcemanager.models import Projects

SCHEMA = """
CREATE TABLE IF NOT EXISTS enabled_services (
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    PRIMARY KEY (project, service)
);
CREATE TABLE IF NOT EXISTS service_identities (
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    email TEXT NOT NULL,
    PRIMARY KEY (project, service)
);
"""
TITLES = {
    "bigquery.googleapis.com": "BigQuery API",
    "bigquerystorage.googleapis.com": "BigQuery Storage API",
    "cloudkms.googleapis.com": "Cloud Key Management Service (KMS) API",
    "cloudresourcemanager.googleapis.com": "Cloud Resource Manager API",
    "healthcare.googleapis.com": "Cloud Healthcare API",
    "iam.googleapis.com": "Identity and Access Management (IAM) API",
    "logging.googleapis.com": "Cloud Logging API",
    "pubsub.googleapis.com": "Cloud Pub/Sub API",
    "serviceusage.googleapis.com": "Service Usage API",
    "storage.googleapis.com": "Cloud Storage API",
}
"""The services that the emulator itself has to do with; the others are titled by their names."""

ALWAYS_ENABLED = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")
_AGENT_DOMAINS = {
    "bigquery.googleapis.com": "bigquery-encryption.iam.gserviceaccount.com",
    "healthcare.googleapis.com": "gcp-sa-healthcare.iam.gserviceaccount.com",
    "pubsub.googleapis.com": "gcp-sa-pubsub.iam.gserviceaccount.com",
    "storage.googleapis.com": "gs-project-accounts.iam.gserviceaccount.com",
}


def known() -> frozenset[str]:
    """Every service that can be enabled."""
    return discovery.services() | TITLES.keys()


def title(service: str) -> str:
    """What people call a service."""
    return TITLES.get(service, service)


class Services:
    """The services of all projects."""

    def __init__(self, database: Database, projects: Projects, all_enabled: bool) -> None:
        self._database = database
        self._projects = projects
        self._all_enabled = all_enabled
        database.apply(SCHEMA)

    def enabled(self, project: str) -> set[str]:
        """The services that a project has enabled."""
        if self._all_enabled:
            return set(known())
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

    def healthcare_agent(self, project: str) -> str:
        """The address of the Healthcare service agent, whether it exists yet or not."""
        return self._address(project, "healthcare.googleapis.com")

    def make_identity(self, project: str, service: str) -> str:
        """Bring the identity of a service into being, and give its address.

        Raises:
            ApiError: 400 for a service that acts under no identity of its own.
        """
        self.check(service)
        if service not in _AGENT_DOMAINS:
            raise invalid_argument(f"Service {service} has no service identity.")
        email = self._address(project, service)
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO service_identities VALUES (?, ?, ?)",
                (project, service, email),
            )
        return email

    def missing_agents(self, members: set[str]) -> list[str]:
        """Those of the addresses that belong to a service agent that does not exist yet."""
        agents = {m for m in members if m.endswith(tuple(f"@{d}" for d in _AGENT_DOMAINS.values()))}
        with self._database.read() as connection:
            rows = connection.execute("SELECT email FROM service_identities").fetchall()
        return sorted(agents - {row["email"] for row in rows})

    def _address(self, project: str, service: str) -> str:
        return f"service-{self._projects.number_of(project)}@{_AGENT_DOMAINS[service]}"
