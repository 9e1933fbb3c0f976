"""The official way to the engine: the Automation API's own installer."""

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from engine.errors import EngineError
from engine.versions import PULUMI

INSTALLER = "https://get.pulumi.com/install.sh"
PROBE_SECONDS = 10.0
DOWNLOAD_SECONDS = 600.0

_INSTALL = """
import sys
import semver
from pulumi.automation import PulumiCommand
PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))
"""


def reachable() -> bool:
    """Whether Pulumi's server answers: a machine without internet finds out in seconds."""
    try:
        with urllib.request.urlopen(INSTALLER, timeout=PROBE_SECONDS):
            return True
    except (urllib.error.URLError, OSError):
        return False


def install(folder: Path, report: Callable[[str], None]) -> None:
    """Put the official engine, with its language hosts, into a folder.

    Raises:
        EngineError: It can't be downloaded from here.
    """
    if not reachable():
        raise EngineError("the official download is out of reach (get.pulumi.com)")
    report(f"downloading the Pulumi engine {PULUMI} (about 100 MB) ...")
    try:
        # In a process of its own: the installer knows no time limit.
        subprocess.run(
            [sys.executable, "-c", _INSTALL, str(folder), PULUMI],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"the download took over {DOWNLOAD_SECONDS:.0f} s") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise EngineError(f"the official installer failed: {last[0]}") from None
