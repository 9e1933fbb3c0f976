"""Who may do what, by the roles of the stack."""

import pytest

from workloads.gateway.errors import SettingsError
from workloads.gateway.paths import Right
from workloads.gateway.roles import Caller, Grant, Roles

DATASET = "projects/p/locations/l/datasets/d"
DICOM, FHIR = f"{DATASET}/dicomStores/s", f"{DATASET}/fhirStores/f"
VIEWER, EDITOR = "roles/healthcare.dicomViewer", "roles/healthcare.dicomEditor"
ANA, BO = Caller("ana@example.org"), Caller("bo@other.org")


def test_a_role_gives_its_rights_on_its_store_to_its_members() -> None:
    roles = Roles(
        [
            Grant(DICOM, VIEWER, frozenset({"domain:Example.org"})),
            Grant(DICOM, EDITOR, frozenset({"user:Bo@Other.org"})),
            Grant(
                FHIR, "roles/healthcare.fhirResourceReader", frozenset({"allAuthenticatedUsers"})
            ),
        ]
    )
    assert roles.allows(ANA, DICOM, Right.READ)
    assert not roles.allows(ANA, DICOM, Right.WRITE)
    assert roles.allows(BO, DICOM, Right.WRITE)
    assert roles.allows(BO, FHIR, Right.READ)
    assert not roles.allows(BO, FHIR, Right.WRITE)
    assert not roles.allows(Caller("c@sub.example.org"), DICOM, Right.READ)
    assert roles.readable(ANA) == [DICOM, FHIR]
    assert roles.stores == {DICOM, FHIR}


@pytest.mark.parametrize(
    ("role", "member", "words"),
    [
        ("roles/owner", "user:a@b.c", "knows no role 'roles/owner': choose one of"),
        ("roles/healthcare.fhirResourceReader", "user:a@b.c", "is not a role on .*, a DICOM store"),
        (VIEWER, "group:g@b.c", "a token does not say which groups"),
        (VIEWER, "a@b.c", "'a@b.c' is not a valid member"),
        (VIEWER, "user:", "'user:' is not a valid member"),
        (VIEWER, "allUsers", "'allUsers' is not a valid member"),
    ],
)
def test_wrong_grants_are_named(role: str, member: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Roles([Grant(DICOM, role, frozenset({member}))])
