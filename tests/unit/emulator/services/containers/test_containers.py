"""Containers as real processes, of programs that take no time to start."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from emulator.cloud import Cloud
from emulator.core.processes.ports import free_port
from emulator.server.running_processes import running_children
from emulator.services.containers import keeper
from emulator.services.containers.models import Container, Logs, Phase, Restart, State
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

LOGS = Logs("cloud_run_job", {"job_name": "j"}, "out", "err")
WAIT = "import time; time.sleep(600)"
LISTEN = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening", *sys.argv[1:], flush=True)
while True:
    server.accept()[0].close()
"""

Start = Callable[..., Container]


@pytest.fixture
def start(
    open_cloud: Callable[..., Cloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Cloud, Start]:
    """The cloud, and a function that starts a program as the container `c`."""
    monkeypatch.setattr(keeper, "INITIAL_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "MAX_DELAY_SECONDS", 0.01)
    program = tmp_path / "program.py"
    cloud = open_cloud(images={"app": str(program)}, environment={"LEADS": "here"})

    def start(text: str, listener: Callable[[State], None] | None = None, **fields: Any) -> Any:
        program.write_text(text)
        container = Container("c", "project-1", "registry/app:1", LOGS, **fields)
        cloud.containers.start(container, listener or (lambda _: None))
        return container

    return cloud, start


def state(cloud: Cloud) -> State:
    found = cloud.containers.state("c")
    assert found
    return found


def until(cloud: Cloud, phase: Phase) -> State:
    wait_until(lambda: state(cloud).phase == phase, f"it does not become {phase}")
    return state(cloud)


def lines(cloud: Cloud, log: str = "out") -> list[str]:
    return [
        entry["textPayload"]
        for _, entry in cloud.logging.entries.page(["project-1"], None, 100)
        if entry["logName"] == f"projects/project-1/logs/{log}"
    ]


def test_a_container_is_ready_once_it_listens(start: tuple[Cloud, Start]) -> None:
    cloud, run = start
    port = free_port()
    run(LISTEN, port=port, environment={"PORT": str(port)}, args=["a", "--b=c"])
    assert until(cloud, Phase.READY).pid
    wait_until(lambda: lines(cloud) == ["listening a --b=c"], "no line is logged")


def test_a_container_that_ends_is_started_again(start: tuple[Cloud, Start]) -> None:
    cloud, run = start
    run(WAIT)
    first = until(cloud, Phase.READY)
    psutil.Process(first.pid).kill()
    wait_until(lambda: state(cloud).restarts == 1, "it is not started again")
    assert until(cloud, Phase.READY).pid != first.pid


def test_a_killed_emulator_leaves_a_note_of_its_processes(
    start: tuple[Cloud, Start], tmp_path: Path
) -> None:
    cloud, run = start
    run(WAIT)
    pid = until(cloud, Phase.READY).pid
    assert [process.pid for process in running_children(tmp_path)] == [pid]
    cloud.containers.stop("c")
    assert running_children(tmp_path) == []


def test_a_stopped_container_leaves_no_process(start: tuple[Cloud, Start], tmp_path: Path) -> None:
    cloud, run = start
    run(
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-S', '-c', {WAIT!r}])\n"
        f"print(child.pid, flush=True)\n{WAIT}\n"
    )
    wait_until(lambda: lines(cloud), "no line is logged")
    pids = [int(lines(cloud)[0]), state(cloud).pid or 0]
    cloud.containers.stop("c")
    assert cloud.containers.state("c") is None
    wait_until(lambda: not any(map(psutil.pid_exists, pids)), "a process is left")
    assert not [*(tmp_path / "containers" / "homes").iterdir()]


def test_the_last_lines_of_a_stopped_container_are_logged(start: tuple[Cloud, Start]) -> None:
    cloud, run = start
    run(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit('stopped by the signal'))\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    wait_until(lambda: lines(cloud), "no line is logged")
    cloud.containers.stop("c")
    assert lines(cloud, "err") == ["stopped by the signal"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("raise SystemExit(7)", 7), ("pass", 0), ("import os; os.kill(os.getpid(), 9)", 137)],
)
def test_a_container_that_is_not_restarted_ends_with_its_code(
    start: tuple[Cloud, Start], text: str, code: int
) -> None:
    cloud, run = start
    heard: list[State] = []
    run(text, heard.append, restart=Restart.NEVER)
    assert until(cloud, Phase.ENDED).exit_code == code
    wait_until(lambda: heard[-1].phase == Phase.ENDED, "the listener is not called")
    assert [one.phase for one in heard if one.phase != Phase.READY] == ["starting", "ended"]


def test_a_container_that_does_not_listen_in_time_fails(start: tuple[Cloud, Start]) -> None:
    cloud, run = start
    run(WAIT, port=free_port(), startup_seconds=0.1, restart=Restart.ONCE_READY)
    failed = until(cloud, Phase.FAILED)
    assert "does not listen on port" in failed.reason
    assert failed.pid is None


def test_a_container_whose_account_does_not_exist_fails(start: tuple[Cloud, Start]) -> None:
    cloud, run = start
    run(WAIT, service_account="missing@project-1.iam.gserviceaccount.com")
    assert state(cloud).phase == Phase.FAILED
    assert "missing@project-1.iam.gserviceaccount.com does not exist" in state(cloud).reason


def test_a_container_acts_as_its_account(start: tuple[Cloud, Start]) -> None:
    cloud, run = start
    email = "adapter@project-1.iam.gserviceaccount.com"
    account = {
        "name": f"projects/project-1/serviceAccounts/{email}",
        "projectId": "project-1",
        "uniqueId": "1",
        "email": email,
    }
    cloud.iam_api.accounts.add(account)
    show = (
        "import json, os\n"
        "key = json.load(open(os.environ['GOOGLE_APPLICATION_CREDENTIALS']))\n"
        "del key['private_key']\n"
        "print(json.dumps({'key': key, 'leads': os.environ['LEADS']}))\n"
    )
    for _ in range(2):  # the second start takes the key of the first
        run(show, service_account=email, restart=Restart.NEVER)
        until(cloud, Phase.ENDED)
    (key,) = cloud.iam_api.accounts.keys(email)
    assert key["keyType"] == "SYSTEM_MANAGED"
    shown = [
        entry["jsonPayload"] for _, entry in cloud.logging.entries.page(["project-1"], None, 9)
    ]
    assert [one["leads"] for one in shown] == ["here", "here"]
    for one in shown:
        assert one["key"]["client_email"] == email
        assert one["key"]["token_uri"] == "http://127.0.0.1:1/token"
        assert key["name"].endswith(one["key"]["private_key_id"])


def test_an_unknown_image_fails_and_says_why(cloud: Cloud) -> None:
    failed = cloud.containers.start(Container("c", "project-1", "registry/other", LOGS))
    assert failed.phase == Phase.FAILED
    assert failed == cloud.containers.state("c")
    assert "--image other=MODULE" in failed.reason
    cloud.containers.stop("c")
    assert cloud.containers.state("c") is None


def test_a_volume_outlives_its_container(start: tuple[Cloud, Start], tmp_path: Path) -> None:
    cloud, run = start
    disk = tmp_path / "disks" / "spool"
    count = (
        "import os, pathlib, sys\n"
        "folder = pathlib.Path(sys.argv[1].partition('=')[2])\n"
        "(folder / str(len(os.listdir(folder)))).write_text('')\n"
    )
    for _ in range(2):
        run(count, args=["--spool=/spool"], volumes={"/spool": disk}, restart=Restart.NEVER)
        until(cloud, Phase.ENDED)
        cloud.containers.stop("c")
    assert sorted(path.name for path in disk.iterdir()) == ["0", "1"]
    assert json.dumps(oct(disk.stat().st_mode))[-4:-1] == "700"


def test_the_default_account_exists_once_a_container_runs_as_it(
    start: tuple[Cloud, Start],
) -> None:
    cloud, run = start
    email = f"{cloud.projects.number_of('project-1')}-compute@developer.gserviceaccount.com"
    run(WAIT, service_account=email)
    until(cloud, Phase.READY)
    account = cloud.iam_api.accounts.find(email)
    assert account
    assert account["displayName"] == "Compute Engine default service account"
