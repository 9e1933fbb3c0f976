"""Requests forged by other pages: what the console may change, they may not."""

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.emulator_names import PROJECT

TOPIC = f"{PROJECT}/topics/events"
MESSAGE = '{"messages": [{"data": "Zm9yZ2Vk"}]}'
ORIGINS = [
    "https://evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example:80",
    "http://evil.example#127.0.0.1",
    "file://",
    "null",  # a sandboxed frame, a redirect between origins
]
CHANGES = {
    f"/v1/{TOPIC}:publish": MESSAGE,
    "/bigquery/v2/projects/local-project/queries": '{"query": "SELECT 1", "useLegacySql": false}',
    f"/v1/{PROJECT}/locations/us-central1/datasets/dataset1/operations/1:cancel": "{}",
}


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_a_request_of_another_page_changes_nothing(
    client: TestClient, cloud: Cloud, origin: str, path: str
) -> None:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    # A form sends no JSON, but its text may be JSON; it needs no preflight request.
    for media_type in ("text/plain", "application/json"):
        headers = {"Origin": origin, "Content-Type": media_type}
        answer = client.post(path, content=CHANGES[path], headers=headers)
        assert answer.status_code == 403
        assert "origin" in answer.json()["error"]["message"]
        assert "access-control-allow-origin" not in answer.headers
    assert cloud.pubsub.messages.recent(TOPIC) == []

    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = client.options(path, headers=asked)
    assert preflight.status_code == 403
    assert "access-control-allow-origin" not in preflight.headers


def test_a_name_that_leads_here_is_refused(client: TestClient, cloud: Cloud) -> None:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert client.post(f"/v1/{TOPIC}:publish", content=MESSAGE, headers=headers).status_code == 403
    assert client.get("/_console/", headers={"Host": "evil.example"}).status_code == 403
    assert cloud.pubsub.messages.recent(TOPIC) == []


def test_the_page_itself_may(client: TestClient, cloud: Cloud) -> None:
    client.put(f"/v1/{TOPIC}", json={}).raise_for_status()
    headers = {"Origin": "http://127.0.0.1", "Content-Type": "application/json"}
    client.post(f"/v1/{TOPIC}:publish", content=MESSAGE, headers=headers).raise_for_status()
    [message] = cloud.pubsub.messages.recent(TOPIC)
    assert message["data"] == "Zm9yZ2Vk"
