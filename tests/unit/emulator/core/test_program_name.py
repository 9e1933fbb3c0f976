"""The command line calls itself what the user called it."""

import sys

import pytest

from emulator.core import program_name

INSTALLED = "/usr/lib/python3/site-packages/emulator/core/program_name.py"


@pytest.mark.parametrize(
    ("started_as", "file", "name"),
    [
        ("/home/me/lab/emulator/__main__.py", program_name.__file__, "python -m emulator"),
        ("/home/me/.venv/bin/gcp-healthcare-emulator", program_name.__file__, None),
        ("gcp-healthcare-emulator.exe", program_name.__file__, None),
        ("/home/me/.venv/bin/pytest", program_name.__file__, "python -m emulator"),
        ("/home/me/.venv/bin/pytest", INSTALLED, None),
    ],
)
def test_the_name_follows_how_it_was_started(
    started_as: str, file: str, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [started_as, "start"])
    monkeypatch.setattr(program_name, "__file__", file)
    expected = name or "gcp-healthcare-emulator"
    assert program_name.program_name() == expected
    assert program_name.command("stop") == f"{expected} stop"
