"""A state machine of hypothesis that calls an emulator in process, one request after the other."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.settings import Settings
from tests.support.new_state import write_new_state

DATASET = "projects/local-project/locations/us-central1/datasets/dataset1"


class ModelMachine(RuleBasedStateMachine):
    """An emulator with a dataset, which is closed and opened again now and then."""

    requests: ClassVar[int] = 0
    parent: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=self.parent)
        self._left: ExitStack = ExitStack()
        self._open()
        self._send("POST", f"{DATASET.rpartition('/')[0]}?datasetId=dataset1", 200, json={})

    def _open(self) -> None:
        urls: dict[str, Any] = dict.fromkeys(
            ("root_url", "bigquery_url", "storage_url"), "http://127.0.0.1:1"
        )
        state = Path(self._folder.name)
        write_new_state(state)
        self._cloud = Cloud(Settings(state_dir=state, all_services_enabled=True, **urls))
        client = TestClient(create_app(self._cloud), "http://127.0.0.1")
        # Its end closes the state too.
        self._client = self._left.enter_context(client)

    def teardown(self) -> None:
        """Close the emulator, and delete its state."""
        self._left.close()
        self._folder.cleanup()

    def _send(self, method: str, path: str, code: int, **more: Any) -> Any:
        type(self).requests += 1
        answer = self._client.request(method, f"/v1/{path}", **more)
        assert answer.status_code == code, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    @rule()
    def restart(self) -> None:
        """Close the emulator, and open it on the same state."""
        self._left.close()
        self._open()


def check(
    machine: type[ModelMachine],
    parent: Path,
    *,
    soak: bool,
    seed: int,
    report: Callable[..., None],
    name: str,
) -> None:
    """Run a machine from its seed, and report what it tried.

    Args:
        machine: the model
        parent: of the folders for its states
        soak: whether this is the long form
        seed: of what it does
        report: keeps a line for the end of the run
        name: of the work in that line
    """
    examples, steps = (150, 60) if soak else (10, 30)
    machine.requests, machine.parent = 0, parent
    run_state_machine_as_test(
        seeded(seed)(machine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=[*HealthCheck],
        ),
    )
    report(name, examples=examples, requests=machine.requests, lost=0)
