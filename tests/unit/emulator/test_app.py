"""Rules for every request: the shape of errors, and the allowed senders."""

import pytest
from starlette.testclient import TestClient

from tests.support.emulator_names import LOCATION


def test_an_error_has_the_shape_of_googles(client: TestClient) -> None:
    answer = client.get(f"/v1/{LOCATION}/datasets/none")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "error": {
            "code": 404,
            "message": f"dataset {LOCATION}/datasets/none does not exist.",
            "status": "NOT_FOUND",
        }
    }


def test_what_the_api_has_and_the_emulator_has_not_is_named(client: TestClient) -> None:
    answer = client.get(f"/v1beta1/{LOCATION}/datasets/d/dataMapperWorkspaces/w:getIamPolicy")

    assert answer.status_code == 501
    assert answer.json()["error"] == {
        "code": 501,
        "message": "healthcare.projects.locations.datasets.dataMapperWorkspaces.getIamPolicy is "
        "not served by the local Google Cloud yet.",
        "status": "UNIMPLEMENTED",
    }


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "projects/p/subscriptions/s:seek", "pubsub.projects.subscriptions.seek"),
        ("PUT", "projects/p/snapshots/s", "pubsub.projects.snapshots.create"),
        ("POST", "projects/p/schemas", "pubsub.projects.schemas.create"),
        ("GET", "organizations/1", "cloudresourcemanager.organizations.get"),
        ("DELETE", "projects/local-project", "cloudresourcemanager.projects.delete"),
    ],
)
def test_so_are_the_methods_of_other_apis(
    client: TestClient, method: str, path: str, name: str
) -> None:
    answer = client.request(method, f"/v1/{path}")

    assert answer.status_code == 501
    assert answer.json()["error"]["message"].startswith(f"{name} is not served")


def test_a_path_of_no_api_is_not_found(client: TestClient) -> None:
    error = client.get("/v7/things").json()["error"]

    assert error == {"code": 404, "message": "No such path: /v7/things.", "status": "NOT_FOUND"}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "127.0.0.1:80@evil.example",
        "localhost:evil.example",
        "localhost@evil.example:80",
        "evil.example#localhost",
        "[::1].evil.example",
        "[::1]evil.example:80",
        "0.0.0.0",
        "127.1.evil",
        "",
    ],
)
def test_a_host_name_that_was_rebound_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/v1/projects/local-project", headers={"Host": host})

    assert answer.status_code == 403
    assert host in answer.json()["error"]["message"]


def test_of_two_hosts_none_is_believed(client: TestClient) -> None:
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    answer = client.get("/v1/projects/local-project", headers=headers)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:99", "localhost", "localhost:1234", "[::1]:80", "[::1]", "LocalHost:80"]
)
def test_this_machine_is_let_in(client: TestClient, host: str) -> None:
    answer = client.get("/v1/projects/local-project", headers={"Host": host})

    assert answer.json()["projectId"] == "local-project"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://localhost.evil.example",
        "http://localhost:80@evil.example",
        "http://localhost/evil",
        "file://",
        "localhost",
        "evil://localhost",
    ],
)
@pytest.mark.parametrize("path", [f"/v1/{LOCATION}/datasets?datasetId=dataset1", "/storage/v1/b"])
def test_a_page_of_another_origin_changes_nothing(
    client: TestClient, origin: str, path: str
) -> None:
    answer = client.post(path, json={}, headers={"Origin": origin})

    assert answer.status_code == 403
    assert client.get(f"/v1/{LOCATION}/datasets").json() == {}


@pytest.mark.parametrize(
    "origin", ["http://localhost", "http://127.0.0.1:3000", "https://[::1]:3000"]
)
def test_a_viewer_on_this_machine_is_let_in(client: TestClient, origin: str) -> None:
    answer = client.get("/v1/projects/local-project", headers={"Origin": origin})

    assert answer.status_code == 200


def test_a_viewer_may_ask_what_it_may_send_and_read_the_answer(client: TestClient) -> None:
    origin = "http://localhost:3000"
    path = f"/v1/{LOCATION}/datasets/d/dicomStores/s/dicomWeb/studies"
    for method, asked in (("GET", "authorization, accept"), ("POST", "content-type"), ("PUT", "")):
        preflight = client.options(
            path,
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": asked,
            },
        )
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin
        assert method in preflight.headers["access-control-allow-methods"]
        assert preflight.headers["access-control-allow-headers"] == asked
    refused = client.get(path, headers={"Origin": origin})
    assert refused.status_code == 404, "of the store: it does not exist"
    assert refused.headers["access-control-allow-origin"] == origin
    assert "Origin" in refused.headers["vary"]


def test_a_page_of_another_origin_learns_nothing(client: TestClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    for answer in (client.options("/v1/x", headers=headers), client.get("/v1/x", headers=headers)):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_a_client_without_an_origin_gets_no_headers_for_browsers(client: TestClient) -> None:
    answer = client.get("/v1/projects/local-project")
    assert "access-control-allow-origin" not in answer.headers


def test_an_overlong_get_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/v1/projects/local-project/services",
        content="filter=" + "x" * (10 * 1024 * 1024),
        headers={"X-HTTP-Method-Override": "GET"},
    )

    assert answer.status_code == 413


def test_a_long_get_may_come_as_a_post(client: TestClient) -> None:
    answer = client.post(
        "/v1/projects/local-project/services",
        content="filter=state:ENABLED&pageSize=1",
        headers={"X-HTTP-Method-Override": "GET"},
    )

    assert [one["state"] for one in answer.json()["services"]] == ["ENABLED"]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"{", "Invalid JSON payload received. Unexpected end of string."),
        (b"[]", "Invalid JSON payload received. The body must be a JSON object."),
        (
            b'{"timeZone": NaN}',
            "Invalid JSON payload received. Expected a value. NaN is not a JSON number.",
        ),
        (b"[" * 100_000, "Invalid JSON payload received."),
        (b" " * (10 * 1024 * 1024 + 1), "The request's body is longer than 10485760 bytes."),
    ],
)
def test_a_body_that_is_no_object_is_refused(
    client: TestClient, body: bytes, complaint: str
) -> None:
    answer = client.post(f"/v1/{LOCATION}/datasets?datasetId=dataset1", content=body)

    assert answer.json()["error"]["message"].startswith(complaint)
    assert client.get(f"/v1/{LOCATION}/datasets").json() == {}


def test_an_unexpected_error_reports_no_inner_workings(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: object, _name: str) -> None:
        raise RuntimeError("inner workings")

    monkeypatch.setattr("emulator.services.healthcare.stores.models.Resources.get", fail)
    answer = client.get(f"/v1/{LOCATION}/datasets/dataset1")

    assert answer.status_code == 500
    assert answer.json()["error"]["status"] == "INTERNAL"
    assert "inner workings" not in answer.text


def test_a_token_is_given_to_googles_libraries(client: TestClient) -> None:
    answer = client.post(
        "/token", data={"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    )

    assert answer.json() == {"access_token": "local", "expires_in": 3600, "token_type": "Bearer"}
