"""The stand-in of Cloud Storage on the emulator: objects, and lifecycle rules of buckets."""

import base64
import hashlib
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.plugin import Engine, RefusedError, configured_for

pytestmark = pytest.mark.sockets
BUCKET, OBJECT = "gcp:storage/bucket:Bucket", "gcp:storage/bucketObject:BucketObject"
NAME = "templates/ingest.json"

Values = dict[str, Any]


@pytest.fixture
def engine(emulator: ServerInfo, project: str) -> Engine:
    """The stand-in, configured for the emulator."""
    return configured_for(emulator, project)


def bucket(project: str, **more: Any) -> Values:
    return {"name": f"{project}-runs", "location": "us-central1", **more}


def test_an_object_is_uploaded_changed_and_deleted(
    engine: Engine, emulator: ServerInfo, project: str
) -> None:
    engine.create(BUCKET, bucket(project))
    news = {"bucket": f"{project}-runs", "name": NAME, "contentType": "application/json"}
    id_, state = engine.create(OBJECT, {**news, "content": '{"image": "a"}'})
    assert id_ == f"{project}-runs-{NAME}"
    digest = hashlib.md5(b'{"image": "a"}', usedforsecurity=False).digest()
    assert state["md5hash"] == state["detectMd5hash"] == base64.b64encode(digest).decode()
    assert state["outputName"] == NAME

    url = f"{emulator.url}/storage/v1/b/{project}-runs/o/{NAME.replace('/', '%2F')}"
    assert http.get(url).json()["contentType"] == "application/json"
    state = engine.update(OBJECT, id_, state, {**news, "content": '{"image": "b"}'})
    assert http.get(f"{url}?alt=media").text == '{"image": "b"}'
    engine.delete(OBJECT, id_, state)
    assert http.get(url).status_code == 404


def test_an_object_that_others_changed_is_uploaded_again(
    engine: Engine, emulator: ServerInfo, project: str
) -> None:
    engine.create(BUCKET, bucket(project))
    news = {"bucket": f"{project}-runs", "name": NAME, "content": "ours"}
    id_, state = engine.create(OBJECT, news)
    _, read, _ = engine.read(OBJECT, id_, state, engine.inputs(OBJECT, news))
    assert read == state
    assert not engine.diff(OBJECT, id_, read, news).detailedDiff

    upload = f"{emulator.url}/upload/storage/v1/b/{project}-runs/o"
    query = {"uploadType": "media", "name": NAME}
    http.post(upload, params=query, content=b"theirs").raise_for_status()
    _, read, _ = engine.read(OBJECT, id_, state, engine.inputs(OBJECT, news))
    assert set(engine.diff(OBJECT, id_, read, news).detailedDiff) == {"content"}


def test_an_object_can_not_be_imported(engine: Engine) -> None:
    with pytest.raises(RefusedError, match="cannot be imported"):
        engine.read(OBJECT, "bucket-name", {}, {})


def test_lifecycle_rules(engine: Engine, emulator: ServerInfo, project: str) -> None:
    rule = {
        "action": {"type": "Delete"},
        "condition": {"age": 14, "matchesPrefixes": ["temp/", "staging/"]},
    }
    news = bucket(project, lifecycleRules=[rule])
    id_, state = engine.create(BUCKET, news)
    shown = http.get(f"{emulator.url}/storage/v1/b/{project}-runs").json()["lifecycle"]["rule"]
    wanted = {"age": 14, "matchesPrefix": ["temp/", "staging/"]}
    assert shown == [{"action": {"type": "Delete"}, "condition": wanted}]
    _, read, _ = engine.read(BUCKET, id_, state, engine.inputs(BUCKET, news))
    assert not engine.diff(BUCKET, id_, read, news).detailedDiff

    later = bucket(project, lifecycleRules=[{**rule, "condition": {"age": 7}}])
    state = engine.update(BUCKET, id_, state, later)
    assert state["lifecycleRules"][0]["condition"]["age"] == 7
    state = engine.update(BUCKET, id_, state, bucket(project))
    assert state["lifecycleRules"] == []
