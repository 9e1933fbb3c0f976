"""Which gcp plugin the local place uses: the real one wherever it can be had, else the stand-in.

The stand-in is in the private PULUMI_HOME of a lab and nowhere else, so that no real deployment
can ever pick it up; and it leaves as soon as a real one is there.
"""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from engine import download
from engine.pulumi_cli import EngineInfo
from engine.versions import GCP_PLUGIN

Plugin = Literal["real", "stand-in"]
Report = Callable[[str], None]

BINARY = "pulumi-resource-gcp"
FOLDER = f"resource-gcp-v{GCP_PLUGIN}"
MARK = "# The offline stand-in of the gcp plugin: see docs/stand-in.md.\n"
TRY_AGAIN_SECONDS = 24 * 3600.0
INSTALL_SECONDS = 600.0


def choose(
    home: Path, engine: EngineInfo, environment: Mapping[str, str], report: Report
) -> Plugin:
    """Make the private PULUMI_HOME lead to the real plugin, or else to the stand-in.

    Args:
        home: The private PULUMI_HOME.
        engine: The engine, which downloads plugins.
        environment: Of the user: PATH, HOME, PULUMI_HOME.
        report: Told of a download.
    """
    mine = home / "plugins" / FOLDER
    if shutil.which(BINARY, path=environment.get("PATH")):
        _remove(mine)
        return "real"
    if _is_real(mine):
        return "real"
    installed = _installed(home, environment)
    if installed is not None:
        _link(installed, mine)
        return "real"
    if _download(home, engine, environment, report):
        return "real"
    _write_stand_in(mine)
    return "stand-in"


def _installed(home: Path, environment: Mapping[str, str]) -> Path | None:
    """Return the folder of a plugin that the user's own engine has installed."""
    candidates = [environment.get("PULUMI_HOME"), str(Path.home() / ".pulumi")]
    for candidate in candidates:
        if candidate and Path(candidate) != home:
            folder = Path(candidate) / "plugins" / FOLDER
            if _is_real(folder):
                return folder
    return None


def _is_real(folder: Path) -> bool:
    binary = folder / BINARY
    # The engine keeps this file beside a plugin while it unpacks it.
    if not binary.exists() or folder.with_name(f"{folder.name}.partial").exists():
        return False
    with binary.open("rb") as file:
        return MARK.encode() not in file.read(4096)


def _link(folder: Path, mine: Path) -> None:
    """Make a folder of links to a plugin's files: the engine skips a link to a whole folder."""
    _remove(mine)
    mine.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        link = mine / file.name
        if not link.exists():
            link.symlink_to(file)


def _remove(mine: Path) -> None:
    """Remove the stand-in, and links to a deleted plugin; never a real plugin."""
    if mine.exists() and not _is_real(mine):
        shutil.rmtree(mine)


def _download(
    home: Path, engine: EngineInfo, environment: Mapping[str, str], report: Report
) -> bool:
    """Have the engine install the plugin; a failure is not tried again for a day."""
    failed = home / "plugins" / f"{FOLDER}.unreachable"
    if failed.exists() and time.time() - failed.stat().st_mtime < TRY_AGAIN_SECONDS:
        return False
    failed.parent.mkdir(parents=True, exist_ok=True)
    if not download.reachable():
        failed.touch()
        return False
    report(f"downloading the gcp plugin {GCP_PLUGIN} (about 100 MB) ...")
    _remove(home / "plugins" / FOLDER)
    command = [str(engine.path / "pulumi"), "plugin", "install", "resource", "gcp", GCP_PLUGIN]
    variables = {**environment, "PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        subprocess.run(
            command, env=variables, timeout=INSTALL_SECONDS, check=True, capture_output=True
        )
    except subprocess.SubprocessError as error:
        report(f"the gcp plugin can't be downloaded ({error}): the stand-in is used")
        failed.touch()
        return False
    return True


def _write_stand_in(mine: Path) -> None:
    binary = mine / BINARY
    # -P: a folder named `engine` where the engine runs would otherwise be taken for ours.
    command = f'exec {shlex.quote(sys.executable)} -P -m engine.standin "$@"\n'
    content = f"#!/bin/sh\n{MARK}{command}"
    if binary.exists() and binary.read_text() == content:
        return
    mine.mkdir(parents=True, exist_ok=True)
    draft = binary.with_suffix(f".{os.getpid()}")
    draft.write_text(content)
    draft.chmod(0o755)
    draft.replace(binary)
