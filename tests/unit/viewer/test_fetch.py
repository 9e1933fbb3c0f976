"""The viewer's archive: fetched once, verified, unpacked whole or not at all."""

import base64
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from viewer import address, cache, fetch, release

FILES = {
    "package/dist/index.html": b"<p>The viewer",
    "package/dist/assets/icon.png": b"icon",
    "package/dist/ort/model.wasm": b"large",
    "package/dist/sw.js": b"keeps old versions",
    "package/dist/app-config.js": b"of a public server",
    "package/dist/_headers": b"of another server",
    "package/package.json": b"{}",
}


def archive_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Registry:
    """A registry of npm packages that serves one archive."""

    def __init__(self) -> None:
        self.content = archive_of(FILES)
        self.code = 200
        self.asked: list[str] = []

    @property
    def checksum(self) -> str:
        return base64.b64encode(hashlib.sha512(self.content).digest()).decode()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.asked.append(self.path)
            self.send_response(registry.code)
            self.send_header("Content-Length", str(len(registry.content)))
            self.end_headers()
            self.wfile.write(registry.content)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv(fetch.REGISTRY_VARIABLE, f"http://127.0.0.1:{server.server_port}/npm/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fetch, "SHA512", registry.checksum)
    yield registry
    server.shutdown()
    server.server_close()


def kept() -> list[str]:
    return sorted(one.name for one in cache.cache_dir().iterdir() if one.suffix != ".lock")


def test_it_is_fetched_once_without_what_is_not_served(registry: Registry) -> None:
    messages: list[str] = []
    root = fetch.fetch(messages.append)
    files = {str(f.relative_to(root)): f.read_bytes() for f in root.rglob("*") if f.is_file()}
    assert files == {"index.html": b"<p>The viewer", "assets/icon.png": b"icon"}
    assert registry.asked == [f"/npm/@ohif/app/-/app-{release.VERSION}.tgz"]
    assert messages == [
        f"fetching the viewer OHIF {release.VERSION} (50 MB, once) from 127.0.0.1 ...",
        f"the viewer is kept in {root}",
    ]
    assert fetch.fetch(messages.append) == root
    assert len(registry.asked) == 1
    assert kept() == [release.VERSION]


def test_a_download_reports_its_progress(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.content = archive_of({**FILES, "package/more": bytes(range(256)) * 100})
    monkeypatch.setattr(fetch, "SHA512", registry.checksum)
    monkeypatch.setattr(fetch, "_REPORT_BYTES", 1)
    monkeypatch.setattr(fetch, "_MEGABYTE", 1)
    messages: list[str] = []
    fetch.fetch(messages.append)
    assert f"  {len(registry.content)} of {len(registry.content)} MB" in messages


def test_several_at_once_fetch_it_once(registry: Registry) -> None:
    with ThreadPoolExecutor(4) as pool:
        roots = set(pool.map(fetch.fetch, [lambda _: None] * 4))
    assert roots == {cache.folder()}
    assert len(registry.asked) == 1


def test_another_archive_is_refused(registry: Registry) -> None:
    registry.content = archive_of({"package/dist/index.html": b"changed"})
    with pytest.raises(fetch.ViewerError, match="not the published archive of OHIF"):
        fetch.fetch(lambda _: None)
    assert kept() == []


def test_a_registry_that_refuses_is_named_with_the_way_round(registry: Registry) -> None:
    registry.code = 404
    with pytest.raises(fetch.ViewerError) as caught:
        fetch.fetch(lambda _: None)
    message = str(caught.value)
    assert "could not be fetched from http://127.0.0.1:" in message
    assert "404 Not Found" in message
    assert "Set NPM_CONFIG_REGISTRY to a registry" in message
    assert f"`npm pack @ohif/app@{release.VERSION}`" in message
    assert str(cache.cache_dir() / f"ohif-app-{release.VERSION}.tgz") in message
    assert kept() == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "no-scheme", "http://[bad"])
def test_a_registry_out_of_reach_is_named(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv(fetch.REGISTRY_VARIABLE, url)
    with pytest.raises(fetch.ViewerError, match="could not be fetched from"):
        fetch.fetch(lambda _: None)


def test_an_archive_that_a_user_put_there_needs_no_registry(registry: Registry) -> None:
    cache.cache_dir().mkdir(parents=True)
    (cache.cache_dir() / release.ARCHIVE).write_bytes(registry.content)
    assert (fetch.fetch(lambda _: None) / "index.html").exists()
    assert registry.asked == []


def test_a_file_outside_of_the_folder_is_not_written(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry.content = archive_of({"package/dist/../../../escaped": b"x"})
    monkeypatch.setattr(fetch, "SHA512", registry.checksum)
    with pytest.raises((fetch.ViewerError, tarfile.FilterError)):
        fetch.fetch(lambda _: None)
    assert not list(tmp_path.rglob("escaped"))


def test_a_cache_that_cannot_be_written_is_named(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with pytest.raises(fetch.ViewerError, match=r"can't be kept in .*/file/"):
        fetch.fetch(lambda _: None)


def test_addresses_name_the_store() -> None:
    store = "projects/p/locations/l/datasets/d/dicomStores/s"
    root = "http://127.0.0.1:1"
    assert address.study(root, store, "1.2") == f"{root}/viewer/p~l~d~s?StudyInstanceUIDs=1.2"
    assert address.study_list(root, store) == f"{root}/?datasources=p~l~d~s"
