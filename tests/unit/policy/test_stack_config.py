"""The pack's configuration merged with what the stack's own file allows."""

import json
from pathlib import Path

import pytest

from policy import stack_config
from policy.stack_config import LOCATIONS_KEY, StackConfigError, merge, write

STACK = {LOCATIONS_KEY: ["europe-west4"]}


def test_the_stacks_own_locations_are_taken() -> None:
    pack = {"required-labels": {"labels": ["a"]}}
    assert merge(pack, STACK, "Pulumi.dev.yaml") == {
        "required-labels": {"labels": ["a"]},
        "allowed-locations": {
            "locations": ["europe-west4"],
            "source": "gcp-healthcare-dicom:allowedLocations in Pulumi.dev.yaml",
        },
    }


def test_locations_of_the_pack_win() -> None:
    pack = {"allowed-locations": {"locations": ["us"]}}
    assert merge(pack, STACK, "Pulumi.dev.yaml") == pack


def test_other_keys_of_the_policy_stay() -> None:
    pack = {"allowed-locations": {"except": ["x"]}}
    merged = merge(pack, STACK, "f")["allowed-locations"]
    assert (merged["except"], merged["locations"]) == (["x"], ["europe-west4"])


@pytest.mark.parametrize("stack", [{}, {LOCATIONS_KEY: []}, {"gcp:project": "p"}])
def test_a_stack_that_lists_none_changes_nothing(stack: dict[str, object]) -> None:
    assert merge({"all": "mandatory"}, stack, "f") == {"all": "mandatory"}


def test_the_file_is_written_and_its_path_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stack_config, "_ROOT", tmp_path)
    monkeypatch.setenv("LAB_DIR", str(tmp_path / "lab"))
    (tmp_path / "Pulumi.eu.yaml").write_text(f"config:\n  {LOCATIONS_KEY}: [eu]\n")
    (tmp_path / "pack.json").write_text("{}")
    assert stack_config.main(["eu", "--config", str(tmp_path / "pack.json")]) == 0
    written = Path(capsys.readouterr().out.strip())
    assert written == tmp_path / "lab" / "policy" / "eu.json"
    assert json.loads(written.read_text())["allowed-locations"]["locations"] == ["eu"]


@pytest.mark.parametrize(("pack", "stack"), [("{", ""), ("{}", "config: [")])
def test_a_file_that_is_no_json_or_yaml_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: str, stack: str
) -> None:
    monkeypatch.setattr(stack_config, "_ROOT", tmp_path)
    (tmp_path / "pack.json").write_text(pack)
    (tmp_path / "Pulumi.a.yaml").write_text(stack)
    with pytest.raises(StackConfigError, match="can't be read"):
        write("a", tmp_path / "pack.json", tmp_path)
