from typing import Any

import pytest

from engine.errors import EngineError
from scripts.lib import stack
from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.options import Choice
from scripts.lib.pulumi_stack import PulumiStack
from scripts.lib.stack_outputs import Outputs
from tests.unit.scripts.fakes import DATASET, OUTPUTS, STORE


def _have(monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any] | None) -> None:
    monkeypatch.setattr(PulumiStack, "outputs", lambda _: outputs)


def test_outputs_come_from_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    _have(monkeypatch, OUTPUTS)
    found = stack.outputs("local")
    assert found.dataset == DATASET
    assert list(found.dicom_stores) == ["dicomstore1", "dicomstore2"]
    assert found.table_uri == "bq://local-project.dataset1.dicomstore1"


@pytest.mark.parametrize("outputs", [{}, None])
def test_a_stack_that_is_not_up(
    monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any] | None
) -> None:
    _have(monkeypatch, outputs)
    with pytest.raises(ScriptError, match="Stack 'x' is not up") as caught:
        stack.outputs("x")
    assert "make up STACK=x" in caught.value.hint


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


DATASETS = DATASET.rpartition("/")[0]
SEVERAL: dict[str, Any] = {
    **OUTPUTS,
    "datasets": {
        "healthcare": {"dataset": DATASET, "dicomStores": OUTPUTS["dicomStores"]},
        "research": {
            "dataset": f"{DATASETS}/deid",
            "dicomStores": {"copy": f"{DATASETS}/deid/dicomStores/copy"},
        },
        "empty": {"dataset": f"{DATASETS}/empty", "dicomStores": {}},
    },
}


@pytest.mark.parametrize("name", ["research", "deid"])
def test_a_further_dataset_is_found_by_its_name_and_by_its_id(name: str) -> None:
    found = stack.target(Choice(dataset=name), Outputs.from_json("local", SEVERAL))
    assert (found.dataset, found.store) == (f"{DATASETS}/deid", f"{DATASETS}/deid/dicomStores/copy")
    assert found.table_uri == "bq://local-project.dataset1.copy"


def _several(**flags: str) -> stack.Target:
    first = {"healthcare": "dicomstore2", "research": "zebra"}
    body = {**SEVERAL, "firstDicomStores": first}
    body["datasets"] = {
        **SEVERAL["datasets"],
        "research": {
            "dataset": f"{DATASETS}/deid",
            "dicomStores": {
                name: f"{DATASETS}/deid/dicomStores/{name}" for name in ("antelope", "zebra")
            },
        },
    }
    return stack.target(Choice(**flags), Outputs.from_json("local", body))


@pytest.mark.parametrize(
    ("dataset", "store"),
    [
        ("research", f"{DATASETS}/deid/dicomStores/zebra"),
        ("deid", f"{DATASETS}/deid/dicomStores/zebra"),
        ("healthcare", f"{DATASET}/dicomStores/dicomstore2"),
        ("dataset1", f"{DATASET}/dicomStores/dicomstore2"),
    ],
)
def test_the_first_store_of_any_dataset_is_the_first_that_is_written(
    dataset: str, store: str
) -> None:
    assert _several(dataset=dataset).store == store


def test_a_misspelt_dataset_is_refused_with_a_list() -> None:
    with pytest.raises(UsageError) as refused:
        _several(dataset="reserch")
    assert refused.value.message == "Stack 'local' has no dataset 'reserch'."
    assert "Its datasets: healthcare (dataset1), research (deid), empty (empty)." in str(
        refused.value
    )


def test_a_dataset_of_another_location_needs_its_store() -> None:
    with pytest.raises(UsageError, match="has no dataset 'projects/local-project/locations/eu/"):
        _several(location="eu")
    found = _several(location="eu", dataset="d", store="s")
    assert found.store == "projects/local-project/locations/eu/datasets/d/dicomStores/s"
    assert found.location == "eu"


def test_a_stack_that_does_not_say_which_store_is_first_asks_for_one() -> None:
    body = {**SEVERAL, "datasets": {**SEVERAL["datasets"]}}
    body["datasets"]["research"] = {
        "dataset": f"{DATASETS}/deid",
        "dicomStores": {name: f"{DATASETS}/deid/dicomStores/{name}" for name in ("a", "b")},
    }
    outputs = Outputs.from_json("local", body)
    with pytest.raises(UsageError, match=r"several DICOM stores: choose one with --store"):
        stack.target(Choice(dataset="research"), outputs)
    assert stack.target(Choice(dataset="research", store="b"), outputs).store.endswith("/b")


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


def test_an_environment_that_cannot_be_prepared_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> Any:
        raise EngineError("No engine: install Go.")

    monkeypatch.setattr("engine.stack_environment.prepare", refuse)
    monkeypatch.setattr("engine.stack_environment.stop", refuse)
    for act in (lambda: stack.enter("x", print), lambda: stack.leave("x")):
        with pytest.raises(ScriptError, match=r"No engine: install Go\."):
            act()
