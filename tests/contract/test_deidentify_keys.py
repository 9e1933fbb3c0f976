"""De-identification with keys wrapped by Cloud KMS, and with settings for FHIR resources."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.deidentify import surrogates
from tests.support import http
from tests.support.deidentification import Site

pytestmark = pytest.mark.sockets

DECRYPTER = "roles/cloudkms.cryptoKeyDecrypter"
SECRET = bytes(range(32))
TRANSFORMED = {"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}


class Wrapping:
    """A key of Cloud KMS, and what it wraps."""

    def __init__(self, running: ServerInfo, site: Site) -> None:
        self._api = f"{running.url}/v1/projects/{site.project}"
        http.post(f"{self._api}/services/cloudkms.googleapis.com:enable", json={})
        options = {"api_endpoint": running.url}
        kms = build("cloudkms", "v1", client_options=options, static_discovery=True)
        rings = kms.projects().locations().keyRings()
        rings.create(parent=site.location, keyRingId="research", body={}).execute()
        self.keys = rings.cryptoKeys()
        self.ring = f"{site.location}/keyRings/research"
        self.name = self.add("wrapping")

    def add(self, key_id: str) -> str:
        body = {"purpose": "ENCRYPT_DECRYPT"}
        created = self.keys.create(parent=self.ring, cryptoKeyId=key_id, body=body).execute()
        return str(created["name"])

    def allow(self, *members: str) -> None:
        bindings = [{"role": DECRYPTER, "members": members}]
        body = {"policy": {"bindings": bindings}}
        self.keys.setIamPolicy(resource=self.name, body=body).execute()

    def wrapped(self, secret: bytes = SECRET) -> str:
        body = {"plaintext": base64.b64encode(secret).decode()}
        return str(self.keys.encrypt(name=self.name, body=body).execute()["ciphertext"])

    def config(self, wrapped_key: str, key: str = "") -> dict[str, Any]:
        """Hash names and shift dates with a wrapped key."""
        wrapped = {"kmsWrapped": {"wrappedKey": wrapped_key, "cryptoKey": key or self.name}}
        transformations = [
            {"infoTypes": ["PERSON_NAME"], "cryptoHashConfig": wrapped},
            {"infoTypes": ["DATE"], "dateShiftConfig": wrapped},
        ]
        return TRANSFORMED | {"text": {"additionalTransformations": transformations}}


@pytest.fixture
def site(emulator: ServerInfo, project: str) -> Site:
    return Site(emulator, project)


@pytest.fixture
def wrapping(emulator: ServerInfo, site: Site) -> Wrapping:
    return Wrapping(emulator, site)


def refusal(site: Site, config: dict[str, Any]) -> tuple[int, str]:
    """How a store's and a dataset's de-identification are refused: alike."""
    target = f"{site.dataset}/dicomStores/copies"
    found = set()
    for request in (
        site.datasets.dicomStores().deidentify(
            sourceStore=site.store, body={"destinationStore": target, "config": config}
        ),
        site.datasets.deidentify(
            sourceDataset=site.dataset,
            body={"destinationDataset": f"{site.location}/datasets/new", "config": config},
        ),
    ):
        with pytest.raises(HttpError) as refused:
            request.execute()
        found.add((refused.value.status_code, refused.value.reason))
    [answer] = found
    listed = site.datasets.list(parent=site.location).execute()["datasets"]
    assert [dataset["name"] for dataset in listed] == [site.dataset]
    return answer


def test_a_wrapped_key_hashes_and_shifts(
    site: Site, wrapping: Wrapping, service_agent: str
) -> None:
    wrapping.allow(service_agent)
    target, done = site.into_store("copies", {"config": wrapping.config(wrapping.wrapped())})
    assert done["metadata"]["counter"] == {"success": str(len(site.sources))}
    # The hash and the shift are those of the key within, whichever way it comes.
    sources = {(source.SOPClassUID, source.get("StudyTime")): source for source in site.sources}
    dates = 0
    for _, copy in site.files(target):
        source = sources[copy.SOPClassUID, copy.get("StudyTime")]
        if source.PatientName:
            # A `=` at a name's end separates nothing, and is not part of it.
            hashed = surrogates.surrogate(SECRET, str(source.PatientName)).rstrip("=")
            assert str(copy.PatientName) == hashed
        if source.get("StudyDate"):
            patient = str(source.get("PatientID") or source.StudyInstanceUID)
            shift = timedelta(days=surrogates.days(SECRET, patient))
            moved = datetime.strptime(source.StudyDate, "%Y%m%d") + shift
            assert copy.StudyDate == moved.strftime("%Y%m%d")
            dates += 1
    assert dates > 3


def test_the_agent_must_be_allowed_to_decrypt(
    site: Site, wrapping: Wrapping, service_agent: str
) -> None:
    site.add_store("copies")
    code, text = refusal(site, wrapping.config(wrapping.wrapped()))
    agent = service_agent.removeprefix("serviceAccount:")
    assert code == 403
    assert text == (
        f"{agent} does not have cloudkms.cryptoKeyVersions.useToDecrypt on the KMS key "
        f"{wrapping.name}. Please grant the Cloud Healthcare Service Agent the role {DECRYPTER}."
    )


FIELD = "config.text.additional_transformations[0].crypto_hash_config.kms_wrapped"


@pytest.mark.parametrize(
    ("change", "culprit"),
    [
        (lambda wrapping: wrapping.config("AAAA"), f"{FIELD}: Decryption failed: the ciphertext"),
        (lambda wrapping: wrapping.config("?"), f"{FIELD}.wrapped_key is no base64"),
        (lambda wrapping: wrapping.config(""), f"{FIELD}.wrapped_key is required"),
        (
            lambda wrapping: wrapping.config(wrapping.wrapped(b"short")),
            f"{FIELD}.wrapped_key: the key in it is 5 bytes long: 16, 24 or 32",
        ),
        (
            lambda wrapping: wrapping.config(wrapping.wrapped(), "research"),
            f"{FIELD}.crypto_key: invalid KMS key name 'research': projects/PROJECT/locations",
        ),
        (
            lambda wrapping: wrapping.config(wrapping.wrapped(), f"{wrapping.name}x"),
            "does not exist",
        ),
    ],
)
def test_a_key_that_can_not_be_unwrapped_is_refused_by_name(
    site: Site,
    wrapping: Wrapping,
    service_agent: str,
    change: Callable[[Wrapping], dict[str, Any]],
    culprit: str,
) -> None:
    site.add_store("copies")
    wrapping.allow(service_agent)
    code, text = refusal(site, change(wrapping))
    assert code == 400
    assert culprit in text


def test_a_key_of_another_key_or_of_a_destroyed_one(
    site: Site, wrapping: Wrapping, service_agent: str
) -> None:
    site.add_store("copies")
    wrapped = wrapping.wrapped()
    first, wrapping.name = wrapping.name, wrapping.add("other")
    wrapping.allow(service_agent)
    assert (
        "verify that 'name' refers to the correct CryptoKey"
        in refusal(site, wrapping.config(wrapped))[1]
    )
    wrapping.name = first
    wrapping.allow(service_agent)
    version = f"{first}/cryptoKeyVersions/1"
    wrapping.keys.cryptoKeyVersions().destroy(name=version, body={}).execute()
    code, text = refusal(site, wrapping.config(wrapped))
    assert (code, text) == (
        400,
        f"{FIELD}: {version} is not enabled, current state is: DESTROY_SCHEDULED.",
    )
    both = wrapping.config(wrapped)
    both["text"]["additionalTransformations"][0]["cryptoHashConfig"]["cryptoKey"] = "AAAA"
    assert "crypto_key and kms_wrapped can't both be set" in refusal(site, both)[1]


def test_settings_for_fhir_are_taken_and_fhir_stores_come_along(site: Site) -> None:
    stores = site.datasets.fhirStores()
    settings = {"version": "R4", "disableReferentialIntegrity": True, "enableUpdateCreate": True}
    stores.create(parent=site.dataset, fhirStoreId="records", body=settings).execute()
    hl7 = site.datasets.hl7V2Stores()
    hl7.create(parent=site.dataset, hl7V2StoreId="messages", body={}).execute()
    fields = [{"paths": ["Patient.HumanName", "Deceased.Age.unit"], "action": "TRANSFORM"}]
    config = {"fhir": {"defaultKeepExtensions": True, "fieldMetadataList": fields}}
    research = f"{site.location}/datasets/research"
    body = {"destinationDataset": research, "config": config}
    done = site.finish(site.datasets.deidentify(sourceDataset=site.dataset, body=body).execute())
    assert done["response"]["@type"].endswith("v1.deidentify.DeidentifySummary")
    [copy] = stores.list(parent=research).execute()["fhirStores"]
    assert copy == {
        "name": f"{research}/fhirStores/records",
        "version": "R4",
        "disableReferentialIntegrity": True,
    }
    assert hl7.list(parent=research).execute() == {}
    assert len(list(site.files(f"{research}/dicomStores/originals"))) == len(site.sources)


@pytest.mark.parametrize(
    ("fhir", "culprit"),
    [
        ({"keepExtensions": True}, "Unknown name \"keepExtensions\" at 'config.fhir'"),
        ({"fieldMetadataList": [{"action": "MASK"}]}, "config.fhir.field_metadata_list[0].action"),
        (
            {"fieldMetadataList": [{"paths": ["patient-name"]}]},
            "config.fhir.field_metadata_list[0].paths[0]: 'patient-name' is not a path",
        ),
    ],
)
def test_wrong_settings_for_fhir_are_refused_by_name(
    site: Site, fhir: dict[str, Any], culprit: str
) -> None:
    site.add_store("copies")
    code, text = refusal(site, {"fhir": fhir})
    assert code == 400
    assert culprit in text
