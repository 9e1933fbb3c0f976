"""The pytest fixture as another project uses it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from emulator import pytest_plugin
from tests.support import http

pytestmark = pytest.mark.sockets

PAGE = Path(__file__).parents[2] / "docs" / "emulator-in-tests.md"
FAILING = """
def test_it_ends_although_this_fails(healthcare_emulator):
    print(f"it is at <{healthcare_emulator.url}>")
    raise AssertionError
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder outside of the repository, with the plugin by its entry point."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE", "CLOUDSDK"))}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "gcp-healthcare-emulator", *options]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180
    )


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_example_without_pytest_starts_and_stops_an_emulator(tmp_path: Path) -> None:
    [example] = [one for one in examples() if "emulator.start(" in one]
    environment = {**os.environ, "LAB_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    url, endpoint = done.stdout.split()
    assert endpoint == f"{url}/v1beta1/"
    with pytest.raises(httpx.ConnectError):
        http.get(f"{url}/_emulator/health")


def test_the_example_of_the_page_passes_outside_of_the_repository(tmp_path: Path) -> None:
    [example] = [one for one in examples() if "def test_" in one]
    (tmp_path / "test_example.py").write_text(example)
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_failing_test_leaves_no_emulator_behind(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING)
    done = run(tmp_path, "--basetemp", str(tmp_path / "temp"))
    assert done.returncode == 1
    [url] = re.findall(r"it is at <(.*)>$", done.stdout, re.MULTILINE)
    with pytest.raises(httpx.ConnectError):
        http.get(f"{url}/_emulator/health")


def test_the_page_names_all_that_the_fixture_offers() -> None:
    offered = {
        name for name in vars(pytest_plugin.HealthcareEmulator) if not name.startswith("_")
    } | set(pytest_plugin.HealthcareEmulator.__annotations__)
    documented = set(re.findall(r"`healthcare_emulator\.(\w+)", PAGE.read_text()))
    assert documented == offered


def test_the_command_is_installed_by_its_name() -> None:
    command = Path(sys.executable).with_name("gcp-healthcare-emulator")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert "The local Google Cloud" in done.stdout
