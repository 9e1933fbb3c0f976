"""Names that lead out of the state folder, by every way to read and write objects and files."""

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from emulator.services.storage import object_files
from tests.soak.fuzzing import PROJECT, Target, grant, target
from tests.support.dicom_files import make_dicom

pytestmark = pytest.mark.sockets

BUCKET = "escapes"
SECRET = b"what no client may read"
DEPTHS = range(1, 7)
NAMES = ("outside.txt", "outside.dcm", "token", "credentials.json", "state.sqlite3")
"""Files above the state folder, and those of it that no bucket holds."""
_SLASHES = ("/", "%2f", "%2F", "%252f", "\\", "%5c")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with secrets at each level above the state folder."""
    folders = tmp_path_factory.mktemp("escapes")
    for folder in (folders, folders / "a", folders / "a" / "b"):
        folder.mkdir(exist_ok=True)
        # As objects are kept: nothing but its place hides it.
        drafts = folder / "drafts"
        object_files.write_object(folder / "outside.txt", drafts, SECRET, "text/plain", {})
        image = make_dicom(SOPInstanceUID="1.2.6.6.6")
        object_files.write_object(folder / "outside.dcm", drafts, image, "application/dicom", {})
    return folders


@pytest.fixture(scope="module")
def victim(root: Path) -> Iterator[Target]:
    with target(root / "a" / "b" / "c") as running:
        running.call("POST", f"/storage/v1/b?project={PROJECT}", "nothing", json={"name": BUCKET})
        running.new_store()  # the service agent begins with a dataset
        grant(running)
        yield running


@pytest.fixture
def store(victim: Target) -> str:
    """A store with an instance."""
    name = victim.new_store()
    headers = {"Content-Type": "application/dicom"}
    path = f"/v1/{name}/dicomWeb/studies"
    victim.call("POST", path, "nothing", content=make_dicom(), headers=headers)
    return name


def raw(victim: Target, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request whose path nothing shortens."""
    address = victim.client.base_url
    connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        return connection.getresponse().read()
    finally:
        connection.close()


def names() -> list[str]:
    """Every name, from every depth, with every kind of slash."""
    return [
        f"{f'..{slash}' * depth}{name}" for name in NAMES for depth in DEPTHS for slash in _SLASHES
    ] + [f"x/../../{name}" for name in NAMES]


def outside(root: Path, victim: Target) -> dict[str, bytes]:
    """All that is not the emulator's own, and the names of what is."""
    state = victim.running.state
    found = {
        str(path): path.read_bytes() if path.is_file() else b""
        for path in root.rglob("*")
        if state != path and state not in path.parents
    }
    own = {f"{state.name}/{path.name}": b"" for path in state.iterdir()}
    return found | own | {f"storage/{path.name}": b"" for path in (state / "storage").iterdir()}


def test_nothing_else_is_read(victim: Target, report: Callable[..., None]) -> None:
    tried = 0
    key = json.loads((victim.running.state / "credentials.json").read_bytes())["private_key"]
    secrets = [SECRET, b"1.2.6.6.6", b"SQLite format 3", key.splitlines()[1].encode()]
    for name in names():
        whole, bare = quote(name, safe=""), quote(name, safe="/%")
        for path in (
            f"/storage/v1/b/{BUCKET}/o/{whole}?alt=media",
            f"/storage/v1/b/{BUCKET}/o/{bare}?alt=media",
            f"/download/storage/v1/b/{BUCKET}/o/{whole}?alt=media",
            f"/{BUCKET}/{whole}",
            f"/{BUCKET}/{bare}",
            f"/storage/v1/b/{quote(name.rpartition('/')[0], safe='')}/o/{whole}?alt=media",
            f"/storage/v1/b/{BUCKET}/o?prefix={whole}",
            f"/_emulator/logs/{bare}",
            f"/v1/projects/{PROJECT}/locations/{bare}",
        ):
            content = raw(victim, "GET", path)
            assert [one for one in secrets if one in content] == [], path
            tried += 1
    victim.check()
    report("reads out of the state folder", tried=tried, lost=0)


def test_nothing_else_is_imported(victim: Target, store: str) -> None:
    for depth in DEPTHS:
        up = "../" * depth
        for uri in (f"gs://{BUCKET}/{up}outside.dcm", f"gs://{BUCKET}/{up}**.dcm"):
            body: dict[str, Any] = {"gcsSource": {"uri": uri}}
            begun = victim.call("POST", f"/v1/{store}:import", uri, json=body)
            assert begun.status_code == 400, begun.text
            assert "zero GCS objects" in begun.text
        filtered = {
            "bigqueryDestination": {"tableUri": f"bq://{PROJECT}.nowhere.table"},
            "filterConfig": {"resourcePathsGcsUri": f"gs://{BUCKET}/{up}outside.txt"},
        }
        refused = victim.call("POST", f"/v1/{store}:export", up, json=filtered)
        assert refused.status_code in (400, 404), refused.text
        assert SECRET.decode() not in refused.text
    for bucket in ("..", "../..", "%2e%2e", "."):
        body = {"gcsSource": {"uri": f"gs://{bucket}/outside.dcm"}}
        refused = victim.call("POST", f"/v1/{store}:import", bucket, json=body)
        assert refused.status_code == 400, refused.text


def test_nothing_else_is_written(
    victim: Target, store: str, root: Path, report: Callable[..., None]
) -> None:
    before = outside(root, victim)
    raw(victim, "POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=in", b"content")
    tried = 0
    written = [f"{'../' * depth}written-{depth}" for depth in DEPTHS]
    written += [f"{'../' * depth}{name}" for depth in DEPTHS for name in NAMES]
    for name in written:
        for act in (_upload, _upload_parts, _upload_later, _put, _copy, _compose):
            act(victim, name)
            tried += 1
    for depth in DEPTHS:
        up = "../" * depth
        body = {"gcsDestination": {"uriPrefix": f"gs://{BUCKET}/{up}exported"}}
        begun = victim.client.post(f"/v1/{store}:export", json=body)
        assert begun.status_code == 400, begun.text
        for bucket in (f"{up}bucket", "..", ".", f"x/{up}bucket", "/bucket", "%2e%2e%2fbucket"):
            victim.client.post(f"/storage/v1/b?project={PROJECT}", json={"name": bucket})
            raw(victim, "DELETE", f"/storage/v1/b/{quote(bucket, safe='')}")
            tried += 1
    assert outside(root, victim) == before
    assert victim.client.get(f"/storage/v1/b/{BUCKET}").status_code == 200
    victim.check()
    report("writes out of the state folder", tried=tried, lost=0)


def _upload(victim: Target, name: str) -> None:
    path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={quote(name, safe='')}"
    raw(victim, "POST", path, b"escaped")


def _upload_parts(victim: Target, name: str) -> None:
    content = json.dumps({"name": name, "bucket": BUCKET}).encode()
    body = b"--b\r\nContent-Type: application/json\r\n\r\n" + content
    body += b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nescaped\r\n--b--"
    headers = {"Content-Type": "multipart/related; boundary=b"}
    raw(victim, "POST", f"/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart", body, **headers)


def _upload_later(victim: Target, name: str) -> None:
    path = f"/upload/storage/v1/b/{BUCKET}/o"
    query = {"uploadType": "resumable", "name": name}
    begun = victim.client.post(path, params=query, json={"name": name})
    if session := begun.headers.get("Location"):
        victim.client.put(session, content=b"escaped")


def _put(victim: Target, name: str) -> None:
    raw(victim, "PUT", f"/{BUCKET}/{quote(name, safe='/')}", b"escaped")
    raw(victim, "PUT", f"/{BUCKET}/{quote(name, safe='')}", b"escaped")


def _copy(victim: Target, name: str) -> None:
    to = quote(name, safe="")
    for verb in ("rewriteTo", "copyTo"):
        raw(victim, "POST", f"/storage/v1/b/{BUCKET}/o/in/{verb}/b/{BUCKET}/o/{to}", b"{}")
        raw(victim, "POST", f"/storage/v1/b/{BUCKET}/o/{to}/{verb}/b/{BUCKET}/o/out", b"{}")


def _compose(victim: Target, name: str) -> None:
    body = json.dumps({"sourceObjects": [{"name": "in"}, {"name": name}]}).encode()
    raw(victim, "POST", f"/storage/v1/b/{BUCKET}/o/{quote(name, safe='')}/compose", body)
