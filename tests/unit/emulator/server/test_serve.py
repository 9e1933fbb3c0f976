"""Options of the HTTP server."""

from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from emulator.server import serve
from emulator.server.server_file import Ports, ServerInfo


def test_an_idle_connection_stays_open_for_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that sends while the server closes fails: its request may have been handled."""
    options: dict[str, Any] = {}
    monkeypatch.setattr("uvicorn.run", lambda _app, **given: options.update(given))
    running = ServerInfo(1, 0.0, Ports(1, 2, 3), tmp_path, False, "", False)

    serve._run(running, MagicMock())

    assert options["timeout_keep_alive"] > 600
