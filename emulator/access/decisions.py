"""Decisions: whether a member may do what a call needs, by the policies of resources."""

from dataclasses import dataclass

from emulator.access.rules import BIGQUERY, KMS, PUBSUB, SECRETS, STORAGE, Requirement
from emulator.core.method_table import project_of
from emulator.services.bigquery.models import Metadata
from emulator.services.iam import conditions
from emulator.services.iam.conditions import Target
from emulator.services.iam.models import Policies
from emulator.services.resourcemanager.models import Projects
from emulator.services.storage.models import Buckets

HEALTHCARE = "healthcare"
_TYPES = {
    "topics": "Topic",
    "subscriptions": "Subscription",
    "keyRings": "KeyRing",
    "cryptoKeys": "CryptoKey",
    "secrets": "Secret",
    "versions": "SecretVersion",
    "datasets": "Dataset",
    "dicomStores": "DicomStore",
    "fhirStores": "FhirStore",
    "hl7V2Stores": "Hl7V2Store",
    "consentStores": "ConsentStore",
}


@dataclass(frozen=True)
class Decisions:
    """Decides by the policies of the project, of the resource and of what is between them.

    Attributes:
        projects: know the ids of projects
        policies: of all resources but buckets and BigQuery datasets
        buckets: have policies of their own
        datasets: of BigQuery, with their access entries
    """

    projects: Projects
    policies: Policies
    buckets: Buckets
    datasets: Metadata

    def allows(self, member: str, needed: Requirement) -> bool:
        """Whether a member has a permission on a resource.

        Args:
            member: as IAM writes it
            needed: the permission and the resource

        Raises:
            ApiError: the project of the resource is not valid
        """
        if needed.service == STORAGE and needed.resource.startswith("b/"):
            _, bucket, *rest = needed.resource.split("/", 3)
            name = rest[1] if len(rest) > 1 else ""
            return self.buckets.allows(bucket, "", member, needed.permission, name)
        parts = needed.resource.split("/")
        parts[1] = self.projects.id_of(project_of(needed.resource))
        name = "/".join(parts)
        target = self._target(needed.service, parts)
        holders = ["/".join(parts[:length]) for length in range(2, len(parts) + 1, 2)]
        if self.policies.allows(holders, member, needed.permission, target):
            return True
        is_dataset = needed.service == BIGQUERY and len(parts) == 4
        return is_dataset and self.datasets.allows(name, member, needed.permission, target)

    def is_missing(self, needed: Requirement) -> bool:
        """Whether a call is about a bucket that does not exist, so that no policy decides it."""
        if needed.service != STORAGE or not needed.resource.startswith("b/"):
            return False
        return not self.buckets.is_known(needed.resource.split("/")[1])

    def _target(self, service: str, parts: list[str]) -> Target:
        if service not in (HEALTHCARE, BIGQUERY, KMS, PUBSUB, SECRETS) or len(parts) < 4:
            return conditions.project("/".join(parts[:2]))
        project = parts[1]
        if service == SECRETS:
            # https://cloud.google.com/iam/docs/conditions-resource-attributes: by number.
            project = self.projects.number_of(project)
        host = f"{service}.googleapis.com"
        name = "/".join([parts[0], project, *parts[2:]])
        return Target(name, host, f"{host}/{_TYPES.get(parts[-2], parts[-2])}")
