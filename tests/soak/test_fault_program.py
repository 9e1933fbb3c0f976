"""The whole program under the real engine, while calls of every service go wrong."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.soak.faulty import FAULTS, MESSAGE
from tests.support.labs import Lab
from tests.support.teardown import OWNER, TeardownFixture

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

ROUNDS, ROUNDS_LONG = 1, 8
FAULTS_AT = "_emulator/faults"
VIEWER = "roles/storage.objectViewer"
_HEALTHCARE = "healthcare.projects.locations.datasets"
_PROJECT = "cloudresourcemanager.projects"
CREATE = (
    f"{_HEALTHCARE}.create",
    f"{_HEALTHCARE}.dicomStores.create",
    f"{_HEALTHCARE}.fhirStores.create",
    f"{_HEALTHCARE}.hl7V2Stores.create",
    "bigquery.datasets.insert",
    "pubsub.projects.topics.create",
    f"{_PROJECT}.setIamPolicy",
    "storage.buckets.setIamPolicy",
)
READ = (
    f"{_HEALTHCARE}.get",
    f"{_HEALTHCARE}.dicomStores.get",
    "bigquery.datasets.get",
    "pubsub.projects.topics.get",
    f"{_PROJECT}.getIamPolicy",
    "storage.buckets.getIamPolicy",
)
DELETE = (
    f"{_HEALTHCARE}.delete",
    f"{_HEALTHCARE}.dicomStores.delete",
    f"{_HEALTHCARE}.fhirStores.delete",
    f"{_HEALTHCARE}.hl7V2Stores.delete",
    "bigquery.datasets.delete",
    "pubsub.projects.topics.delete",
    f"{_PROJECT}.setIamPolicy",
    "storage.buckets.setIamPolicy",
)
_PASSING = [fault.body for fault in FAULTS if fault.passing and "message" not in fault.body]
_WHOLE = [body for body in _PASSING if "cut" not in body]
"""A creation whose answer is cut off is explained, not tried again: it has created something."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    new_lab = Lab(tmp_path_factory.mktemp("fault-program"))
    try:
        new_lab.start()
        yield new_lab
    finally:
        new_lab.stop()


def test_it_comes_up_and_goes_whatever_goes_wrong_for_a_while(
    lab: Lab, draw: random.Random, soak: bool, report: Callable[..., None]
) -> None:
    broken = 0
    rounds = ROUNDS_LONG if soak else ROUNDS
    for number in range(rounds):
        scene = _scene(lab, number)

        faults = [*_drawn(draw, CREATE, _WHOLE), *_drawn(draw, READ, _PASSING)]
        broken += _changed(scene, "up", draw.choice(CREATE), faults)
        _check_up(scene)

        broken += _changed(scene, "destroy", draw.choice(DELETE), _drawn(draw, DELETE, _PASSING))
        _check_gone(scene)
    report("whole programs up and down", rounds=rounds, broken_calls=broken, lost=0)


def _scene(lab: Lab, number: int) -> TeardownFixture:
    """A stack with something of every service, and the bucket that it may read."""
    name = f"local-faults{number}"
    lab.call("POST", f"storage/v1/b?project={name}", {"name": f"{name}-files"})
    options: dict[str, Any] = {
        "access": "least-privilege",
        "importBuckets": [f"{name}-files"],
        "topics": [{"name": "topic1"}],
    }
    return TeardownFixture(lab.stack(name, **options))


def _drawn(
    draw: random.Random, methods: Sequence[str], bodies: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """A fault for most of the methods."""
    chosen = draw.sample(methods, len(methods) * 2 // 3)
    return [{"method": method, **draw.choice(bodies)} for method in chosen]


def _changed(scene: TeardownFixture, verb: str, refused: str, faults: list[dict[str, Any]]) -> int:
    """Have the engine do something while calls go wrong; how many did.

    One method is refused: the engine stops and says why. Once it is not, the rest is done.
    """
    lab = scene.lab
    first = lab.call("POST", FAULTS_AT, {"method": refused, "status": 403})["number"]
    for fault in faults:
        lab.call("POST", FAULTS_AT, fault)
    output = scene.stack.change(verb, "--skip-preview", check=False)
    assert "error:" in output, f"{refused} was refused, and nothing said so:\n{output}"
    assert MESSAGE in output, f"{refused} was not explained:\n{output}"
    lab.call("DELETE", f"{FAULTS_AT}?number={first}")
    scene.stack.change(verb, "--skip-preview")
    met = lab.call("GET", FAULTS_AT)["faults"]
    lab.call("DELETE", FAULTS_AT)
    assert [fault["method"] for fault in met if not fault["broken"]] == []
    return sum(int(fault["broken"]) for fault in met)


def _check_up(scene: TeardownFixture) -> None:
    """All of it is there, once, and a second deployment has nothing to do."""
    found = scene.cloud()
    [stores] = found["datasets"].values()
    assert sorted(store.rpartition("/")[2] for store in stores) == [
        "dicomstore1",
        "dicomstore2",
        "fhirstore1",
        "hl7v2store1",
    ]
    assert [topic["name"].rpartition("/")[2] for topic in found["topics"]] == ["topic1"]
    assert list(found["tables"]) == [f"{scene.project}:dataset1"]
    assert VIEWER in _roles_on_bucket(scene)
    assert scene.stack.plan() == {}
    assert "unchanged" in scene.stack.up()


def _check_gone(scene: TeardownFixture) -> None:
    """Nothing is left of the stack; the bucket and the owner's role were there before."""
    assert scene.stack.resources() == {}
    nothing = {"datasets": {}, "topics": [], "tables": {}, "bindings": [OWNER]}
    assert scene.cloud() == nothing
    assert VIEWER not in _roles_on_bucket(scene)


def _roles_on_bucket(scene: TeardownFixture) -> set[str]:
    policy = scene.lab.call("GET", f"storage/v1/b/{scene.project}-files/iam")
    return {binding["role"] for binding in policy["bindings"]}
