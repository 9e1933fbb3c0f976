"""Independent clients of FHIR: fhirpy, and SMART's fhirclient with its classes of R4."""

from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.humanname import HumanName
from fhirclient.models.patient import Patient
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ResourceNotFound

from emulator.server.server_file import ServerInfo
from tests.support.fhir_resources import observation, patient
from tests.support.fhir_ward import Ward

pytestmark = pytest.mark.sockets


@pytest.fixture
def ward(emulator: ServerInfo, project: str) -> Ward:
    return Ward(emulator, project)


@pytest.fixture
def root(ward: Ward) -> str:
    """The address of the store's FHIR service."""
    return f"{ward.root}/v1/{ward.store}/fhir"


def test_fhirpy_searches_saves_and_deletes(ward: Ward, root: str) -> None:
    client: Any = SyncFHIRClient(root, authorization="Bearer local")
    for name in ("abel", "baker", "clark"):
        client.resource("Patient", **patient(name, name=[{"family": name}])).save()
        client.resource("Observation", **observation(f"Patient/{name}", f"o-{name}")).save()
    families = client.resources("Patient").sort("family").limit(2).fetch_all()
    assert [each["name"][0]["family"] for each in families] == ["abel", "baker", "clark"]
    baker = client.resources("Patient").search(family="baker").get()
    baker["active"] = True
    baker.save()
    assert ward.read("Patient/baker")["active"] is True
    seen = client.resources("Observation").search(subject=baker.to_reference().reference)
    assert [each.id for each in seen.include("Observation", "subject").fetch()] == ["o-baker"]
    client.resource("Observation", id="o-baker").delete()
    baker.delete()
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", "baker").to_resource()


def test_fhirclient_reads_what_it_wrote_by_its_classes(ward: Ward, root: str) -> None:
    server = FHIRClient(settings={"app_id": "test", "api_base": root}).server
    one = Patient()
    one.name = [HumanName({"family": "Sample", "given": ["Ann"]})]
    one.gender = "female"
    created = one.create(server)
    assert created
    read = Patient.read(created["id"], server)
    assert (read.name[0].family, read.gender) == ("Sample", "female")
    assert read.as_json() == ward.read(f"Patient/{created['id']}")
    read.active = False
    read.update(server)
    bundle: Bundle = Patient.where({"family": "sample"}).perform(server)
    assert [entry.resource.active for entry in bundle.entry] == [False]
    read.delete(server)
    assert Patient.where({}).perform(server).entry is None
