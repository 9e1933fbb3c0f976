"""The server starts without what it does not use, and can still import it later."""

import subprocess
import sys

from tests.support.waiting import PATIENCE_SECONDS

START = """
import sys
from emulator.server import serve
from emulator.server.optional_imports import without_unused
with without_unused():
    import emulator.app, uvicorn
print(sorted({"duckdb", "dicomanonymizer", "requests", "rich", "typer"} & sys.modules.keys()))
import requests, httpx
print(requests.__name__, httpx.Client.__name__)
"""


def test_the_server_imports_nothing_that_only_a_command_line_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.stdout == "[]\nrequests Client\n"
