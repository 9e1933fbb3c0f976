"""A small build of a viewer, with a file of every sort."""

import hashlib
from pathlib import Path

import pytest

from viewer import cache

INDEX = "<!doctype html><script>first()</script><script src='/app.js'></script><p>The viewer"


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the viewer's files, as if it had been fetched."""
    root = tmp_path / "viewer"
    for name, content in {
        "index.html": INDEX,
        "app.bundle.0123456789abcdef.js": "app()",
        "0123456789abcdef.wasm": "wasm",
        "app.bundle.css": "p {}",
        "assets/favicon.ico": "icon",
        "LICENSE.unknown": "text",
    }.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    (tmp_path / "secret").write_text("secret")
    (root / "assets/link").symlink_to(tmp_path / "secret")
    monkeypatch.setattr(cache, "folder", lambda: root)
    return root


@pytest.fixture
def digest_of_script() -> bytes:
    """SHA-256 of the page's inline script."""
    return hashlib.sha256(b"first()").digest()
