"""Service agents: the service accounts that Google's services act under in a project.

Inferred (conformance: iam-missing-account-text): the text of a refusal.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core.database import Database
from emulator.core.errors import invalid_argument

SCHEMA = """
CREATE TABLE IF NOT EXISTS service_identities (
    project TEXT NOT NULL,
    service TEXT NOT NULL,
    email TEXT NOT NULL,
    PRIMARY KEY (project, service)
);
"""
_AGENTS = {
    "artifactregistry.googleapis.com": (
        "service-{}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    ),
    "bigquery.googleapis.com": "bq-{}@bigquery-encryption.iam.gserviceaccount.com",
    "healthcare.googleapis.com": "service-{}@gcp-sa-healthcare.iam.gserviceaccount.com",
    "iap.googleapis.com": "service-{}@gcp-sa-iap.iam.gserviceaccount.com",
    "logging.googleapis.com": "service-{}@gcp-sa-logging.iam.gserviceaccount.com",
    "pubsub.googleapis.com": "service-{}@gcp-sa-pubsub.iam.gserviceaccount.com",
    "secretmanager.googleapis.com": "service-{}@gcp-sa-secretmanager.iam.gserviceaccount.com",
    "storage.googleapis.com": "service-{}@gs-project-accounts.iam.gserviceaccount.com",
}
"""Service -> the address of its agent, by project number
(https://cloud.google.com/iam/docs/service-agents, and for BigQuery's encryption account
https://cloud.google.com/bigquery/docs/customer-managed-encryption)."""
_PREFIX = "serviceAccount:"


def agent_email(project_number: str, service: str) -> str:
    """Return the address of a service agent, whether the agent exists or not.

    Args:
        project_number: of the project that the service acts for
        service: such as `healthcare.googleapis.com`

    Raises:
        ApiError: 400 for a service without a service agent.
    """
    if service not in _AGENTS:
        raise invalid_argument(f"Service {service} has no service identity.")
    return _AGENTS[service].format(project_number)


class ServiceAccounts:
    """The service agents that exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_agent(self, project: str, project_number: str, service: str) -> str:
        """Create a service agent unless it exists, and return its address.

        Raises:
            ApiError: 400 for a service without a service agent.
        """
        email = agent_email(project_number, service)
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO service_identities VALUES (?, ?, ?)",
                (project, service, email),
            )
        return email

    def missing_agents(self, emails: Iterable[str]) -> list[str]:
        """Return those of the addresses that belong to a service agent that does not exist."""
        domains = tuple(address[address.index("@") :] for address in _AGENTS.values())
        agents = {email for email in emails if email.endswith(domains)}
        with self._database.read() as connection:
            rows = connection.execute("SELECT email FROM service_identities").fetchall()
        return sorted(agents - {row["email"] for row in rows})

    def check_members(self, policy: Mapping[str, Any]) -> None:
        """Refuse a policy that grants a role to a service agent that does not exist.

        Raises:
            ApiError: 400, naming the agent.
        """
        emails = {
            member.removeprefix(_PREFIX)
            for binding in policy.get("bindings") or []
            for member in binding.get("members") or []
            if member.startswith(_PREFIX)
        }
        for missing in self.missing_agents(emails):
            raise invalid_argument(f"Service account {missing} does not exist.")
