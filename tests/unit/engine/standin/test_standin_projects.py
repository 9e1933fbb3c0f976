"""Services, their identities, and the members of a project's policy."""

from typing import Any

import pytest

from engine.pulumi_proto import provider_pb2
from engine.standin.values import Values, from_struct, to_struct
from tests.support.fake_google import AGENT, FakeGoogle, Reply, Request, error
from tests.support.plugin import Engine, RefusedError

SERVICE = "gcp:projects/service:Service"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
MEMBER = "gcp:projects/iAMMember:IAMMember"
PROJECT = {
    "projectId": "local-project",
    "projectNumber": "123456789012",
    "name": "Local",
    "lifecycleState": "ACTIVE",
    "labels": {"env": "lab"},
}
SERVICE_NAME = "projects/local-project/services/healthcare.googleapis.com"
GRANT: Values = {
    "project": "local-project",
    "role": "roles/storage.objectAdmin",
    "member": f"serviceAccount:{AGENT}",
}
OTHERS = {"role": "roles/owner", "members": ["user:boss@example.com"]}


@pytest.fixture(autouse=True)
def project(google: FakeGoogle) -> None:
    google.resources["projects/local-project"] = dict(PROJECT)


def test_enables_a_service_and_follows_the_operation(engine: Engine, google: FakeGoogle) -> None:
    id_, outputs = engine.create(SERVICE, {"service": "healthcare.googleapis.com"})

    assert id_ == "local-project/healthcare.googleapis.com"
    listing = google.requests[0]
    assert (listing.method, listing.path) == ("GET", "/v1/projects/local-project/services")
    assert listing.query == {
        "filter": "state:ENABLED",
        "fields": "services/name,nextPageToken",
        "pageSize": "200",
    }
    assert [(r.method, r.path) for r in google.requests[1:4]] == [
        ("POST", f"/v1/{SERVICE_NAME}:enable"),
        ("GET", "/v1/operations/enable-healthcare.googleapis.com"),
        ("GET", "/v1/operations/enable-healthcare.googleapis.com"),
    ]
    assert outputs["project"] == "local-project"
    assert outputs["deletionPolicy"] == "DELETE"


def test_a_service_that_is_enabled_is_not_enabled_again(engine: Engine, google: FakeGoogle) -> None:
    google.services.add(SERVICE_NAME)

    engine.create(SERVICE, {"service": "healthcare.googleapis.com"})

    assert not google.calls("POST")


def test_a_failed_operation_is_an_error(engine: Engine, google: FakeGoogle) -> None:
    failed = {"code": 7, "message": "billing is off"}
    google.operations["operations/enable-healthcare.googleapis.com"] = [
        {"name": "operations/x", "done": True, "error": failed}
    ]

    with pytest.raises(RefusedError) as refused:
        engine.create(SERVICE, {"service": "healthcare.googleapis.com"})

    assert refused.value.text == (
        "Error creating project service: googleapi: Error 7: billing is off"
    )


def test_a_service_stays_enabled_unless_asked_for(engine: Engine, google: FakeGoogle) -> None:
    news = {"service": "healthcare.googleapis.com"}
    id_, state = engine.create(SERVICE, news)

    engine.delete(SERVICE, id_, state)
    assert SERVICE_NAME in google.services

    state = engine.update(SERVICE, id_, state, {**news, "disableOnDestroy": True})
    engine.delete(SERVICE, id_, state)
    assert SERVICE_NAME not in google.services
    disable = next(r for r in google.requests if r.path.endswith(":disable"))
    assert disable.body == {"disableDependentServices": False, "checkIfServiceHasUsage": "SKIP"}


def test_a_service_disabled_by_hand_is_gone(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(SERVICE, {"service": "healthcare.googleapis.com"})
    google.services.clear()

    assert engine.read(SERVICE, id_, state)[0] == ""


def test_a_service_of_a_project_that_is_deleted_is_gone(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(SERVICE, {"service": "healthcare.googleapis.com"})
    google.resources["projects/local-project"]["lifecycleState"] = "DELETE_REQUESTED"

    assert engine.read(SERVICE, id_, state)[0] == ""


def test_imports_a_service(engine: Engine, google: FakeGoogle) -> None:
    google.services.add(SERVICE_NAME)

    id_, state, inputs = engine.read(SERVICE, "local-project/healthcare.googleapis.com")

    assert id_ == "local-project/healthcare.googleapis.com"
    assert (inputs["project"], inputs["service"]) == ("local-project", "healthcare.googleapis.com")
    response = engine.diff(SERVICE, id_, state, {"service": "healthcare.googleapis.com"})
    assert not response.detailedDiff
    with pytest.raises(RefusedError) as refused:
        engine.read(SERVICE, "healthcare.googleapis.com")
    assert "it has to look like {project}/{service}" in refused.value.text


def test_the_identity_comes_from_the_finished_operation(engine: Engine, google: FakeGoogle) -> None:
    id_, outputs = engine.create(IDENTITY, {"service": "healthcare.googleapis.com"})

    assert id_ == SERVICE_NAME
    post = google.requests[0]
    assert (post.method, post.path) == ("POST", f"/v1beta1/{SERVICE_NAME}:generateServiceIdentity")
    assert outputs["email"] == AGENT
    assert outputs["member"] == f"serviceAccount:{AGENT}"
    assert engine.read(IDENTITY, id_, outputs)[1] == outputs
    engine.delete(IDENTITY, id_, outputs)


def test_an_identity_cannot_be_imported(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.read(IDENTITY, SERVICE_NAME)

    assert refused.value.text == (
        "gcp:projects/serviceIdentity:ServiceIdentity cannot be imported: the API has no way to "
        "read one"
    )


def test_a_grant_keeps_everybody_elses(engine: Engine, google: FakeGoogle) -> None:
    google.policies["projects/local-project"] = {"etag": "7", "bindings": [OTHERS], "version": 1}

    id_, outputs = engine.create(MEMBER, GRANT)

    get, write = google.requests[:2]
    assert (get.method, get.path) == ("POST", "/v1/projects/local-project:getIamPolicy")
    assert get.body == {"options": {"requestedPolicyVersion": 3}}
    assert write.path == "/v1/projects/local-project:setIamPolicy"
    added = {"role": GRANT["role"], "members": [GRANT["member"]]}
    assert write.body == {
        "policy": {"etag": "7", "version": 3, "bindings": [OTHERS, added]},
        "updateMask": "bindings,etag,auditConfigs",
    }
    assert [r.path.rpartition(":")[2] for r in google.requests[2:5]] == ["getIamPolicy"] * 3
    assert id_ == f"local-project/roles/storage.objectAdmin/serviceAccount:{AGENT}"
    assert outputs["etag"] == "8"

    engine.delete(MEMBER, id_, outputs)
    assert google.policies["projects/local-project"]["bindings"] == [OTHERS]


def test_a_grant_joins_the_binding_of_its_role(engine: Engine, google: FakeGoogle) -> None:
    first = {"role": GRANT["role"], "members": ["user:a@example.com"]}
    google.policies["projects/local-project"] = {"etag": "1", "bindings": [first]}

    id_, outputs = engine.create(MEMBER, GRANT)

    (binding,) = google.policies["projects/local-project"]["bindings"]
    assert binding["members"] == ["user:a@example.com", GRANT["member"]]
    engine.delete(MEMBER, id_, outputs)
    assert google.policies["projects/local-project"]["bindings"] == [first]


def test_a_conflict_starts_again(engine: Engine, google: FakeGoogle) -> None:
    conflicts = [error(409, "concurrent policy changes", "ABORTED")] * 2

    def conflict(request: Request) -> Reply | None:
        return conflicts.pop() if conflicts and request.path.endswith(":setIamPolicy") else None

    google.faults.append(conflict)

    engine.create(MEMBER, GRANT)

    assert len([r for r in google.requests if r.path.endswith(":setIamPolicy")]) == 3


def test_conditions_are_part_of_the_grant(engine: Engine, google: FakeGoogle) -> None:
    condition = {"title": "soon over", "expression": "request.time < timestamp('2030-01-01')"}

    id_, outputs = engine.create(MEMBER, {**GRANT, "condition": condition})
    engine.create(MEMBER, GRANT)

    bindings = google.policies["projects/local-project"]["bindings"]
    assert [b.get("condition") for b in bindings] == [condition, None]
    assert id_.endswith(f"/soon over//{condition['expression']}")
    assert not engine.diff(MEMBER, id_, outputs, {**GRANT, "condition": condition}).detailedDiff
    engine.delete(MEMBER, id_, outputs)
    assert len(google.policies["projects/local-project"]["bindings"]) == 1


def test_another_role_is_another_grant(engine: Engine) -> None:
    id_, state = engine.create(MEMBER, GRANT)

    response = engine.diff(MEMBER, id_, state, {**GRANT, "role": "roles/viewer"})

    assert list(response.replaces) == ["role"]


def test_the_case_of_an_address_means_nothing(engine: Engine) -> None:
    id_, state = engine.create(MEMBER, {**GRANT, "member": "user:Anna@Example.com"})

    assert id_.endswith("user:anna@example.com")
    news = {**GRANT, "member": "user:anna@example.com"}
    assert not engine.diff(MEMBER, id_, state, news).detailedDiff


def test_a_grant_taken_away_by_hand_is_gone(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(MEMBER, GRANT)
    google.policies["projects/local-project"]["bindings"] = [OTHERS]

    assert engine.read(MEMBER, id_, state)[0] == ""
    engine.delete(MEMBER, id_, state)


def test_imports_a_grant(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(MEMBER, GRANT)

    found = engine.read(MEMBER, f"local-project {GRANT['role']} {GRANT['member']}")

    assert found[:2] == (id_, state)
    assert found[2] == {"__defaults": [], **GRANT}
    with pytest.raises(RefusedError) as refused:
        engine.read(MEMBER, "local-project roles/viewer user:a@b.c")
    assert refused.value.text == (
        'there is no binding of "roles/viewer" for "user:a@b.c" in the policy of local-project'
    )
    with pytest.raises(RefusedError) as refused:
        engine.read(MEMBER, id_)
    assert 'it has to be "RESOURCE ROLE MEMBER"' in refused.value.text


def test_get_project_reports_the_number(engine: Engine) -> None:
    response = engine.stub.Invoke(
        provider_pb2.InvokeRequest(
            tok="gcp:organizations/getProject:getProject", args=to_struct({})
        )
    )
    result: dict[str, Any] = from_struct(getattr(response, "return"))

    assert result["id"] == "projects/local-project"
    assert (result["projectId"], result["number"]) == ("local-project", "123456789012")
    assert result["labels"] == {"env": "lab"}


def test_get_project_of_a_missing_project_says_which(engine: Engine) -> None:
    request = provider_pb2.InvokeRequest(
        tok="gcp:organizations/getProject:getProject", args=to_struct({"projectId": "nowhere"})
    )

    with pytest.raises(RefusedError) as refused:
        engine.stub.Invoke(request)

    assert refused.value.text.startswith(
        'Error when reading or editing Project "nowhere": googleapi'
    )


def test_a_resource_without_a_project_says_how_to_set_one(engine: Engine) -> None:
    engine.configure(project=None)

    with pytest.raises(RefusedError) as refused:
        engine.create(SERVICE, {"service": "healthcare.googleapis.com"})

    assert "set it with `pulumi config set gcp:project PROJECT`" in refused.value.text
