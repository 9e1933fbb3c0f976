"""The disk gets full, or can't be written, while the emulator works: it says so, and loses nothing.

Every write is refused by the system itself: by a limit of the server's process, which needs no
right, and by a small file system of its own where one can be mounted.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from emulator.server import lifecycle
from emulator.server.errors import EmulatorError
from tests.soak import crash_works, remains
from tests.soak.crash_works import BUCKET, Site
from tests.soak.crashing import LOCATION, KilledEmulator, fresh, image

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="sets limits of other processes"),
]

MEGABYTES = 160
DICOM = {"Content-Type": "application/dicom"}


@pytest.fixture
def victim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KilledEmulator]:
    """A running emulator in a folder of its own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    victim = KilledEmulator(tmp_path / "emulator")
    victim.start()
    yield victim
    victim.stop()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A small file system, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def limit(victim: KilledEmulator, size: int) -> None:
    """Let the server, and what it started in Python, write no file beyond a size."""
    server = psutil.Process(victim.running.pid)
    for process in [server, *server.children(recursive=True)]:
        # A Go program ends of the signal that comes with this limit.
        if "fake-gcs-server" not in process.name():
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def writes(victim: KilledEmulator, site: Site) -> dict[str, httpx.Response]:
    """Try everything that writes; gives each answer."""
    _, content = image("1.7")
    api = f"/v1/{site.filled}"
    policy = {"policy": {"bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}]}}
    source = {"gcsSource": {"uri": f"gs://{BUCKET}/in/*.dcm"}}
    client = victim.client
    return {
        "STOW": client.post(f"{api}/dicomWeb/studies", content=content, headers=DICOM),
        "set-IAM": client.post(f"{api}:setIamPolicy", json=policy),
        "import": client.post(f"{api}:import", json=source),
        "dataset": client.post(f"/v1/{LOCATION}/datasets?datasetId={fresh('d')}", json={}),
    }


def assert_told(answers: dict[str, httpx.Response], state: Path, codes: set[int]) -> None:
    """Every answer is an error in Google's shape that names the folder."""
    for name, answer in answers.items():
        assert answer.status_code in codes, f"{name}: {answer.status_code} {answer.text}"
        error = answer.json()["error"]
        assert error["code"] == answer.status_code
        assert error["status"] in ("RESOURCE_EXHAUSTED", "UNAVAILABLE")
        assert str(state) in error["message"], f"{name}: {error}"


def assert_there(victim: KilledEmulator, site: Site) -> None:
    """All is there that was, and nothing is left over."""
    for path, content in site.sources.items():
        found = victim.client.get(f"/v1/{site.filled}/dicomWeb/{path}", headers=remains.ANY_SYNTAX)
        assert found.content == content
    remains.check_state(victim.state)


def assert_sound(victim: KilledEmulator, site: Site) -> None:
    """All is there that was, and everything works again."""
    assert_there(victim, site)
    for name, answer in writes(victim, site).items():
        assert answer.status_code == 200, f"{name}: {answer.text}"
    assert crash_works.import_again(victim, site) == len(site.sources)
    for work in crash_works.WORKS.values():
        work(victim, site)
    remains.check_state(victim.state)


def test_what_finds_no_room_is_refused_and_nothing_is_lost(
    victim: KilledEmulator, report: Callable[..., None]
) -> None:
    site = crash_works.prepare(victim)
    assert crash_works.import_again(victim, site) == len(site.sources)  # the workers are there

    limit(victim, 0)
    answers = writes(victim, site)
    limit(victim, resource.RLIM_INFINITY)

    assert_told(answers, victim.state, {507, 503})
    assert_sound(victim, site)
    report("writes refused by a limit", tried=len(answers), lost=0)


def test_an_operation_that_finds_no_room_ends_and_says_so(victim: KilledEmulator) -> None:
    site = crash_works.prepare(victim)
    store = crash_works.new_store(victim)
    assert crash_works.import_again(victim, site) == len(site.sources)
    # An object of an odd name is fetched; the others' files need no room.
    upload = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name=in/odd%20name.dcm"
    victim.call("POST", upload, content=next(iter(site.sources.values())))
    for process in psutil.Process(victim.running.pid).children():
        if "multiprocessing" in " ".join(process.cmdline()):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    source = {"gcsSource": {"uri": f"gs://{BUCKET}/in/*.dcm"}}

    name = victim.json("POST", f"/v1/{store}:import", source)["name"]

    ended = victim.until(
        lambda: found if (found := victim.json("GET", f"/v1/{name}")).get("done") else None,
        "the import hangs",
    )
    assert ended["error"]["code"] == 8, ended
    assert f"No space is left for the state folder {victim.state}" in ended["error"]["message"]
    limit(victim, resource.RLIM_INFINITY)
    odd = f"/storage/v1/b/{BUCKET}/o/in%2Fodd%20name.dcm"
    victim.call("DELETE", odd)
    assert_sound(victim, site)


def test_a_file_system_that_is_full(
    small: Path, monkeypatch: pytest.MonkeyPatch, report: Callable[..., None]
) -> None:
    (small / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(small / "tmp"))
    victim = KilledEmulator(small / "emulator")
    victim.start()
    try:
        site = crash_works.prepare(victim)
        fill(small / "ballast")
        answers = writes(victim, site)
        exported = victim.client.post(
            f"/v1/{site.filled}:export",
            json={"gcsDestination": {"uriPrefix": f"gs://{BUCKET}/full"}},
        )
        (small / "ballast").unlink()
        assert_told({**answers, "export": exported}, victim.state, {507})
        assert_sound(victim, site)
        victim.stop()
        fill(small / "ballast")
        with pytest.raises(EmulatorError, match=f"{victim.state} is not writable: No space left"):
            lifecycle.start(victim.state)
        (small / "ballast").unlink()
        victim.start()
        assert_there(victim, site)
    finally:
        (small / "ballast").unlink(missing_ok=True)
        victim.stop()
    report("writes on a full disk", tried=len(answers) + 2, lost=0)


def test_a_file_system_that_is_read_only(small: Path) -> None:
    victim = KilledEmulator(small / "emulator")
    victim.start()
    victim.stop()
    remount(small, "ro")

    with pytest.raises(EmulatorError, match=f"{victim.state} is not writable: Read-only"):
        lifecycle.start(victim.state)

    remount(small, "rw")
    victim.start()
    victim.stop()


def fill(ballast: Path) -> None:
    """Leave no room on a file system."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 10, 1):
            try:
                while True:
                    os.write(file.fileno(), bytes(size))
            except OSError:
                continue


def remount(folder: Path, mode: str) -> None:
    """Make a file system read-only or writable."""
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)
