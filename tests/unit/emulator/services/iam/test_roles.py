"""The predefined roles: those that the documents name are known."""

import re
from pathlib import Path

import pytest

from emulator.services.iam import roles

ROOT = Path(__file__).parents[5]
_FOLDERS = ("docs", "components", "program", "policy", "scripts", "examples", "conformance")
_SUFFIXES = {".md", ".py", ".yaml", ".yml", ".json", ".ts", ".go", ".tf"}
_ROLE = re.compile(r"roles/(?:[a-z]\w*(?:\.\w+)+|owner\b|editor\b|viewer\b|browser\b)")


def named_roles() -> dict[str, str]:
    """Each role that a document or a program names -> one of the files."""
    files = [ROOT / "README.md", *ROOT.glob("Pulumi*.yaml")]
    for folder in _FOLDERS:
        files += (ROOT / folder).rglob("*")
    return {
        role: str(file.relative_to(ROOT))
        for file in sorted(files)
        if file.suffix in _SUFFIXES and file.is_file() and ".venv" not in file.parts
        for role in _ROLE.findall(file.read_text())
    }


def test_every_role_that_a_document_names_is_known_and_has_permissions() -> None:
    named = named_roles()
    assert "roles/healthcare.dicomViewer" in named
    unknown = {
        role: file
        for role, file in named.items()
        if role not in roles.names() or not roles.permissions_of(role)
    }
    assert unknown == {}


@pytest.mark.parametrize(
    ("role", "permission", "has"),
    [
        ("roles/healthcare.dicomEditor", "healthcare.dicomStores.import", True),
        ("roles/healthcare.dicomStoreAdmin", "healthcare.dicomStores.import", False),
        ("roles/healthcare.dicomStoreAdmin", "healthcare.dicomStores.setIamPolicy", True),
        ("roles/healthcare.dicomStoreAdmin", "healthcare.dicomStores.dicomWebRead", False),
        ("roles/healthcare.dicomViewer", "healthcare.dicomStores.dicomWebDelete", False),
        ("roles/healthcare.datasetAdmin", "healthcare.dicomStores.create", False),
        ("roles/healthcare.hl7V2Editor", "healthcare.hl7V2Stores.get", True),
        ("roles/healthcare.hl7V2Editor", "healthcare.hl7V2Messages.delete", True),
        ("roles/healthcare.hl7V2Consumer", "healthcare.hl7V2Messages.create", True),
        ("roles/healthcare.hl7V2Consumer", "healthcare.hl7V2Messages.ingest", False),
        ("roles/healthcare.hl7V2Ingest", "healthcare.hl7V2Messages.ingest", True),
        ("roles/healthcare.hl7V2Ingest", "healthcare.hl7V2Messages.get", False),
        ("roles/iam.securityReviewer", "healthcare.dicomStores.getIamPolicy", True),
        ("roles/iam.securityReviewer", "storage.objects.get", False),
        ("roles/iam.workloadIdentityUser", "iam.serviceAccounts.getAccessToken", True),
        ("roles/bigquery.user", "bigquery.tables.getData", False),
        ("roles/editor", "resourcemanager.projects.setIamPolicy", False),
    ],
)
def test_a_role_has_the_permissions_of_googles_reference(
    role: str, permission: str, has: bool
) -> None:
    assert (permission in roles.permissions_of(role)) is has
