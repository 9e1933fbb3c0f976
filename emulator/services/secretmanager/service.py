"""Secret Manager as its handlers and other services see it."""

from dataclasses import dataclass

from emulator.core.errors import permission_denied
from emulator.services.iam.conditions import Target
from emulator.services.iam.service import Iam
from emulator.services.secretmanager.events import API
from emulator.services.secretmanager.models import Secrets
from emulator.services.secretmanager.versions import Versions
from emulator.services.serviceusage.service import ProjectAccess

ACCESS = "secretmanager.versions.access"


@dataclass(frozen=True)
class SecretManager:
    """The state of Secret Manager."""

    iam: Iam
    projects: ProjectAccess
    secrets: Secrets
    versions: Versions

    def access_as(self, name: str, member: str) -> bytes:
        """Return the payload of a version for a workload, if its account may access it.

        Args:
            name: `projects/P/secrets/S/versions/V`; V may be `latest` or an alias
            member: the account of the workload, as IAM writes it

        Raises:
            ApiError: 403 without `secretmanager.versions.access`, 404 for a missing secret or
                version, 400 for a version that is not enabled
        """
        _, project, rest = name.split("/", 2)
        version = self.versions.get(f"projects/{self.projects.number_of(project)}/{rest}")["name"]
        parts = self.secrets.in_policies(version).split("/")
        holders = ["/".join(parts[:length]) for length in range(2, len(parts) + 1, 2)]
        target = Target(version, API, f"{API}/SecretVersion")
        if not self.iam.policies.allows(holders, member, ACCESS, target):
            raise permission_denied(
                f"Permission denied on secret: {version} for {member.partition(':')[2]}. Grant it "
                "roles/secretmanager.secretAccessor on the secret."
            )
        return self.versions.access(version).content
