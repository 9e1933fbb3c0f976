"""Grants on the resources of a stack, read from their policies."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from scripts.lib.stack_outputs import Outputs
from scripts.resources.lookup import Json, Lookup, access_as_policy

_DATASETS = "projects.locations.datasets"


@dataclass(frozen=True)
class Grant:
    """A role of a member on a resource.

    Attributes:
        resource: the full name of the resource that has the policy
        member: as IAM writes it
        role: such as `roles/healthcare.dicomViewer`
        condition: its expression; empty if there is none
    """

    resource: str
    member: str
    role: str
    condition: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the shape of `--json`."""
        return asdict(self)


def read(outputs: Outputs, lookup: Lookup) -> list[Grant]:
    """Return the grants on the project, datasets, stores and BigQuery dataset of a stack.

    Raises:
        ScriptError: a policy can't be read
    """
    found: list[Grant] = []
    for resource, policy in _policies(outputs, lookup):
        found += _grants(resource, policy or {})
    return found


def _policies(outputs: Outputs, lookup: Lookup) -> Iterator[tuple[str, Json | None]]:
    yield f"projects/{outputs.project}", lookup.project_policy(outputs.project)
    for name in _dataset_names(outputs):
        yield name, lookup.policy("healthcare", _DATASETS, name)
    for collection, names in _stores(outputs).items():
        for name in names:
            yield name, lookup.policy("healthcare", f"{_DATASETS}.{collection}", name)
    dataset = lookup.big_query_dataset(outputs.project, outputs.bigquery_dataset)
    name = f"projects/{outputs.project}/datasets/{outputs.bigquery_dataset}"
    yield name, access_as_policy(dataset or {})


def _dataset_names(outputs: Outputs) -> list[str]:
    return sorted({outputs.dataset, *(each.name for each in outputs.datasets.values())})


def _stores(outputs: Outputs) -> dict[str, list[str]]:
    dicom = {name for each in outputs.datasets.values() for name in each.dicom_stores.values()}
    return {
        "dicomStores": sorted(dicom | set(outputs.dicom_stores.values())),
        "fhirStores": sorted(outputs.fhir_stores.values()),
        "hl7V2Stores": sorted(outputs.hl7v2_stores.values()),
    }


def _grants(resource: str, policy: dict[str, Any]) -> Iterator[Grant]:
    for binding in policy.get("bindings", []):
        condition = (binding.get("condition") or {}).get("expression", "")
        for member in binding.get("members", []):
            yield Grant(resource, member, binding["role"], condition)


def is_member(grant: Grant, member: str) -> bool:
    """Whether a grant is that of a member, named as IAM writes it or by e-mail address.

    Grants to all users, or to all who are signed in, are every member's.
    """
    if grant.member in ("allUsers", "allAuthenticatedUsers"):
        return True
    named = grant.member if ":" in member else grant.member.partition(":")[2]
    return named.lower() == member.lower()
