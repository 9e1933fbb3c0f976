"""The stand-in's rows of Cloud KMS: creation, stored fields, deletion."""

from tests.support.fake_google import FakeGoogle, Reply
from tests.support.plugin import Engine

RING = "projects/p-1/locations/eu/keyRings/ring"
KEY = f"{RING}/cryptoKeys/key"
KEY_TYPE = "gcp:kms/cryptoKey:CryptoKey"
ROTATING = {"keyRing": RING, "name": "key", "rotationPeriod": "7776000s"}


def test_a_key_ring_is_forgotten_and_stays(engine: Engine, google: FakeGoogle) -> None:
    token = "gcp:kms/keyRing:KeyRing"
    id_, state = engine.create(token, {"project": "p-1", "location": "eu", "name": "ring"})
    assert id_ == RING
    [request] = google.calls("POST")
    assert request.path.startswith("/v1/projects/p-1/locations/eu/keyRings")
    engine.delete(token, id_, state)
    assert google.calls("DELETE") == []
    assert engine.read(token, id_, state)[0] == RING


def test_a_rotating_key_names_the_moment_of_its_first_rotation(
    engine: Engine, google: FakeGoogle
) -> None:
    id_, state = engine.create(KEY_TYPE, ROTATING)
    assert (id_, state["purpose"]) == (KEY, "ENCRYPT_DECRYPT")
    [request] = google.calls("POST")
    assert request.body is not None
    assert request.body["rotationPeriod"] == "7776000s"
    assert request.body["nextRotationTime"].endswith("Z")
    assert "name" not in request.body


def test_deleting_a_key_destroys_its_versions_and_ends_its_rotation(
    engine: Engine, google: FakeGoogle
) -> None:
    id_, state = engine.create(KEY_TYPE, ROTATING)
    versions = [
        {"name": f"{KEY}/cryptoKeyVersions/{number}", "state": each}
        for number, each in enumerate(("DESTROYED", "ENABLED"), start=1)
    ]
    google.resources[f"{KEY}/cryptoKeyVersions"] = {"cryptoKeyVersions": versions}
    google.faults.append(
        lambda request: Reply(200, b"{}") if request.path.endswith(":destroy") else None
    )
    google.requests.clear()
    engine.delete(KEY_TYPE, id_, state)
    paths = [(request.method, request.path) for request in google.calls("POST", "PATCH")]
    assert ("POST", f"/v1/{KEY}/cryptoKeyVersions/2:destroy") in paths
    assert not any("cryptoKeyVersions/1" in path for _, path in paths)
    [patch] = google.calls("PATCH")
    assert patch.query["updateMask"] == "nextRotationTime,rotationPeriod"
    assert google.calls("DELETE") == []
