"""Fetch the viewer into the user's cache: download, verify, unpack."""

import base64
import hashlib
import os
import shutil
import ssl
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
from filelock import FileLock

from viewer.cache import cache_dir, folder
from viewer.release import ARCHIVE, ARCHIVE_PATH, SHA512, VERSION

Report = Callable[[str], None]

REGISTRY = "https://registry.npmjs.org"
REGISTRY_VARIABLE = "NPM_CONFIG_REGISTRY"
"""npm's own variable for another registry."""

TIMEOUT_SECONDS = 30.0
"""How long the registry may send nothing."""
_MEGABYTE = 1_000_000
_REPORT_BYTES = 10 * _MEGABYTE
_PREFIX = "package/dist/"
_LEFT_OUT = ("ort/", "_", "sw.js", "app-config.js", "serve.json")
"""Files of the build that are not unpacked, by how their paths begin: the ONNX runtime, which is
two thirds of it and segments by a model that is not included, a service worker, which would keep
an old viewer alive, and configuration of other servers."""


class ViewerError(Exception):
    """The viewer could not be fetched; the message says why, and the way round."""


def fetch(report: Report) -> Path:
    """Return the folder of the viewer's files; fetch them first if they are missing.

    Args:
        report: called with the progress of a download, as it may take a minute

    Raises:
        ViewerError: the archive can't be had, is not the published one, or can't be unpacked
    """
    if folder().is_dir():
        return folder()
    try:
        cache_dir().mkdir(parents=True, exist_ok=True)
        with FileLock(cache_dir() / f"{VERSION}.lock"):
            if not folder().is_dir():
                _install(report)
    except OSError as error:
        raise ViewerError(
            f"The viewer can't be kept in {cache_dir()}: {error}. It needs 70 MB there."
        ) from error
    return folder()


def _install(report: Report) -> None:
    """Unpack the archive into a draft, and put that in its folder whole."""
    with tempfile.TemporaryDirectory(prefix="new-", dir=cache_dir()) as temporary:
        archive = cache_dir() / ARCHIVE  # put there by a user whose machine has no registry
        if not archive.exists():
            archive = Path(temporary) / ARCHIVE
            _download(archive, report)
        _verify(archive)
        draft = Path(temporary) / "dist"
        _unpack(archive, draft)
        draft.rename(folder())
    report(f"the viewer is kept in {folder()}")


def _download(file: Path, report: Report) -> None:
    registry = (os.environ.get(REGISTRY_VARIABLE) or REGISTRY).rstrip("/")
    url = f"{registry}/{ARCHIVE_PATH}"
    report(f"fetching the viewer OHIF {VERSION} (50 MB, once) from {httpx.URL(url).host} ...")
    try:
        with (
            # The certificates of the system, as a company's own authority is among them.
            httpx.Client(verify=ssl.create_default_context(), timeout=TIMEOUT_SECONDS) as client,
            client.stream("GET", url, follow_redirects=True) as answer,
            file.open("wb") as target,
        ):
            answer.raise_for_status()
            _copy(answer, target.write, report)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ViewerError(
            f"The viewer could not be fetched from {registry}: {reason}\n"
            f"Set {REGISTRY_VARIABLE} to a registry of npm packages that this machine reaches. "
            f"Or run `npm pack @ohif/app@{VERSION}` on another machine, and copy the file to "
            f"{cache_dir() / ARCHIVE}. Then try again."
        ) from error


def _copy(answer: httpx.Response, write: Callable[[bytes], int], report: Report) -> None:
    total = int(answer.headers.get("content-length", 0))
    reported = _REPORT_BYTES
    for chunk in answer.iter_bytes():
        write(chunk)
        if answer.num_bytes_downloaded >= reported:
            of_total = f" of {total // _MEGABYTE}" if total else ""
            report(f"  {answer.num_bytes_downloaded // _MEGABYTE}{of_total} MB")
            reported += _REPORT_BYTES


def _verify(archive: Path) -> None:
    """Compare an archive with the checksum of the published one.

    Raises:
        ViewerError: it is another one
    """
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise ViewerError(
            f"{archive.name} is not the published archive of OHIF {VERSION}: its checksum differs. "
            f"If you put it into {cache_dir()}, remove it; else check {REGISTRY_VARIABLE}."
        )


def _unpack(archive: Path, target: Path) -> None:
    """Unpack the files of the build; `tarfile` keeps them inside of the folder."""
    shutil.rmtree(target, ignore_errors=True)
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = member.name.removeprefix(_PREFIX)
            if member.isfile() and name != member.name and not name.startswith(_LEFT_OUT):
                tar.extract(member.replace(name=name), target, filter="data")
