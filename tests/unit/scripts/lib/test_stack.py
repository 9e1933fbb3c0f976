import json
import subprocess
from typing import Any

import pytest

from engine.errors import EngineError
from scripts.common import stack
from scripts.common.errors import ScriptError, UsageError
from scripts.common.stack import Choice, Outputs
from tests.unit.scripts.fakes import DATASET, OUTPUTS, STORE


def _pulumi(monkeypatch: pytest.MonkeyPatch, code: int, out: str, err: str = "") -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[:4] == ["pulumi", "stack", "output", "--json"]
        return subprocess.CompletedProcess(command, code, out, err)

    monkeypatch.setattr("subprocess.run", run)


def test_outputs_come_from_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    _pulumi(monkeypatch, 0, json.dumps(OUTPUTS))
    found = stack.outputs("local")
    assert found.dataset == DATASET
    assert list(found.dicom_stores) == ["dicomstore1", "dicomstore2"]
    assert found.table_uri == "bq://local-project.dataset1.dicomstore1"


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [(0, "{}", ""), (0, "", ""), (255, "", "error: no stack named 'x' found")],
)
def test_a_stack_that_is_not_up(
    monkeypatch: pytest.MonkeyPatch, code: int, out: str, err: str
) -> None:
    _pulumi(monkeypatch, code, out, err)
    with pytest.raises(ScriptError, match="Stack 'x' is not up") as caught:
        stack.outputs("x")
    assert "make up STACK=x" in caught.value.cure


def test_pulumis_other_troubles_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _pulumi(monkeypatch, 255, "", "error: incorrect passphrase")
    with pytest.raises(ScriptError, match="incorrect passphrase"):
        stack.outputs("x")


def test_a_half_deployed_stack_names_the_missing_output() -> None:
    with pytest.raises(ScriptError, match="no output 'dataset'"):
        Outputs.from_json("x", {k: v for k, v in OUTPUTS.items() if k != "dataset"})


def _target(**flags: str) -> stack.Target:
    return stack.target(Choice(**flags), Outputs.from_json("local", OUTPUTS))


def test_the_first_store_is_the_default() -> None:
    found = _target()
    assert (found.store, found.table_uri) == (STORE, "bq://local-project.dataset1.dicomstore1")


def test_the_first_store_is_the_one_of_the_settings_and_not_of_the_alphabet() -> None:
    table = "bq://local-project.dataset1.dicomstore2"
    found = stack.target(Choice(), Outputs.from_json("local", {**OUTPUTS, "tableUri": table}))
    assert found.store == f"{DATASET}/dicomStores/dicomstore2"
    assert found.table_uri == table


PLACE = DATASET.rpartition("/")[0]
SEVERAL = {
    **OUTPUTS,
    "datasets": {
        "healthcare": {"dataset": DATASET, "dicomStores": OUTPUTS["dicomStores"]},
        "research": {
            "dataset": f"{PLACE}/deid",
            "dicomStores": {"copy": f"{PLACE}/deid/dicomStores/copy"},
        },
        "empty": {"dataset": f"{PLACE}/empty", "dicomStores": {}},
    },
}


@pytest.mark.parametrize("name", ["research", "deid"])
def test_a_further_dataset_is_found_by_its_name_and_by_its_id(name: str) -> None:
    found = stack.target(Choice(dataset=name), Outputs.from_json("local", SEVERAL))
    assert (found.dataset, found.store) == (f"{PLACE}/deid", f"{PLACE}/deid/dicomStores/copy")
    assert found.table_uri == "bq://local-project.dataset1.copy"


def test_a_further_dataset_without_a_dicom_store() -> None:
    with pytest.raises(ScriptError, match="Dataset 'empty' of stack 'local' has no DICOM store"):
        stack.target(Choice(dataset="empty"), Outputs.from_json("local", SEVERAL))


def test_another_store_has_another_table() -> None:
    found = _target(store="dicomstore2")
    assert found.store == f"{DATASET}/dicomStores/dicomstore2"
    assert found.table_uri == "bq://local-project.dataset1.dicomstore2"


def test_a_store_may_be_given_by_its_full_name() -> None:
    assert _target(store=STORE).store == STORE


def test_an_unknown_store() -> None:
    with pytest.raises(UsageError, match=r"no DICOM store 'x'.\nIts .* dicomstore1, dicomstore2\."):
        _target(store="x")


def test_a_flag_wins_over_the_output() -> None:
    found = _target(dataset="other", store="s")
    assert found.store == f"{DATASET.rpartition('/')[0]}/other/dicomStores/s"
    assert found.table_uri == ""


def test_flags_that_repeat_the_output_change_nothing() -> None:
    assert _target(project="local-project", dataset="dataset1") == _target()


def test_flags_are_explicit_only_together_and_without_a_stack() -> None:
    names = {"project": "p", "location": "l", "dataset": "d", "store": "s"}
    assert Choice(**names).explicit
    assert not Choice(**names, stack="local").explicit
    assert not Choice(project="p").explicit
    with pytest.raises(UsageError):
        stack.target(Choice(project="p"), None)


def test_a_place_that_cannot_be_had_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise EngineError("No engine: install Go.")

    monkeypatch.setattr("engine.places.prepare", refuse)
    monkeypatch.setattr("engine.places.leave", refuse)
    for act in (lambda: stack.enter("x", print), lambda: stack.leave("x")):
        with pytest.raises(ScriptError, match=r"No engine: install Go\."):
            act()
