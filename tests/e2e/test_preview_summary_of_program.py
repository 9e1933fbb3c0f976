"""The preview summary on what the program, the engine and the plugin really say."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.labs import Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]


def summarise(lab: Lab, stack: Stack, folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Preview the stack, and give the verdict and the facts of the summary."""
    done = stack.pulumi("preview", "--json", "--stack", stack.name, check=False)
    preview = folder / "preview.json"
    preview.write_text(done.stdout, encoding="utf-8")
    script = ["scripts/preview_summary.py", str(preview), "--fail-on-data-loss", *options]
    code = f"--preview-exit-code={done.returncode}"
    summary = lab.python(*script, code, "--format", "json", check=False)
    return summary.returncode, json.loads(summary.stdout)


def counts(facts: dict[str, Any]) -> dict[str, int]:
    return {action: count for action, count in facts["counts"].items() if count}


def test_create_nothing_update_rename_and_removal(lab: Lab, stack: Stack, tmp_path: Path) -> None:
    verdict, facts = summarise(lab, stack, tmp_path)
    assert (verdict, set(counts(facts))) == (0, {"create"})

    stack.up()
    verdict, facts = summarise(lab, stack, tmp_path)
    assert (verdict, counts(facts), facts["changes"]) == (0, {}, [])

    labelled = {"name": "dicomstore1", "labels": {"team": "imaging"}}
    stack.configure(dicomStores=[labelled, {"name": "dicomstore2"}])
    verdict, facts = summarise(lab, stack, tmp_path)
    assert (verdict, counts(facts)) == (0, {"update": 1})
    (change,) = facts["changes"]
    assert (change["kind"], change["name"]) == ("DICOM store", "dicomstore1")
    labels = [p for p in change["properties"] if p["path"].startswith("labels")]
    assert [(p["path"], p["new"]) for p in labels] == [("labels.team", "imaging")]

    stack.configure(dicomStores=[{"name": "dicomstore1"}])
    verdict, facts = summarise(lab, stack, tmp_path)
    assert (verdict, counts(facts)) == (3, {"delete": 1})
    assert facts["dataLoss"]["losses"][0]["name"] == "dicomstore2"
    assert summarise(lab, stack, tmp_path, "--acknowledge")[0] == 0

    stores = [{"name": "dicomstore1"}, {"name": "dicomstore2"}]
    stack.configure(dicomStores=stores, dataset="dataset2")
    verdict, facts = summarise(lab, stack, tmp_path)
    assert verdict == 3
    (loss,) = facts["dataLoss"]["losses"]
    assert (loss["kind"], loss["name"], loss["cause"]) == (
        "Healthcare dataset",
        "dataset1",
        "replaced",
    )
    taken = {store["name"] for store in loss["takes"]}
    assert taken == {"dicomstore1", "dicomstore2", "fhirstore1", "hl7v2store1"}
    assert "dataset2" in loss["sentence"]
    assert summarise(lab, stack, tmp_path, "--labels", "acknowledge-data-loss")[0] == 0


def test_a_program_that_refuses_its_config(lab: Lab, stack: Stack, tmp_path: Path) -> None:
    stack.configure(location="mars-1")
    verdict, facts = summarise(lab, stack, tmp_path)
    assert verdict == 1
    assert facts["failed"] is True
    assert any("mars-1" in error["text"] for error in facts["errors"])
