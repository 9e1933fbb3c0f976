"""`import emulator`: what it offers, and what it does not import."""

import inspect
import subprocess
import sys

import emulator
from emulator.server import lifecycle


def test_importing_the_package_is_cheap() -> None:
    heavy = {"httpx", "psutil", "pydicom", "sqlite3", "starlette", "uvicorn"}
    code = f"import emulator, sys; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_functions_take_what_those_behind_them_take() -> None:
    for name in ("start", "status", "stop", "reset"):
        offered = inspect.signature(getattr(emulator, name)).parameters
        behind = inspect.signature(getattr(lifecycle, name)).parameters
        assert list(offered) == list(behind)
    assert set(emulator.__all__) <= set(dir(emulator))
