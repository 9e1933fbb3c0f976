"""Patching a copy of Pulumi's module, and refusing one that is not as expected."""

from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.gobuild import patches


def text(path: Path) -> str:
    return path.read_text()


def test_the_copy_is_patched_and_the_module_stays(pulumi_module: Path, tmp_path: Path) -> None:
    before = {path: text(path) for path in pulumi_module.rglob("*.*")}
    target = tmp_path / "patched"
    patches.copy(pulumi_module, target)
    assert text(target / "backend/diy/backend.go") == "kept\n"
    assert text(target / "secrets/cloud/manager.go") == "kept\n"
    assert text(target / "backend/diy/bucket.go") == (
        "var input *s3CopyObjectInput\nfunc f(input *s3CopyObjectInput) {}\n"
    )
    for name in (*patches.REPLACED, *patches.ADDED):
        assert text(target / name) == text(patches.REPLACEMENTS / name)
    assert {path: text(path) for path in pulumi_module.rglob("*.*")} == before


def test_word_lists_are_loaded_when_a_value_is_judged(
    strength_module: Path, tmp_path: Path
) -> None:
    target = tmp_path / "patched"
    patches.copy_strength(strength_module, target)
    assert text(target / "frequency/frequency.go") == "func Load() {\n\tread()\n}\n"
    assert text(target / "matching/matching.go") == (
        "func loadFrequencyList() {\n\tfrequency.Load()\n\trank(frequency.Lists)\n}\n"
    )
    assert text(target / "zxcvbn.go") == "kept\n"
    assert "func init()" in text(strength_module / "matching/matching.go")


@pytest.mark.parametrize("name", sorted({edit.file for edit in patches.STRENGTH_EDITS}))
def test_word_lists_that_are_loaded_otherwise_are_refused(
    strength_module: Path, tmp_path: Path, name: str
) -> None:
    (strength_module / name).chmod(0o644)
    (strength_module / name).write_text("package changed\n")
    with pytest.raises(EngineError, match=f"do not fit {name} of the module: .* matches 0 times"):
        patches.copy_strength(strength_module, tmp_path / "patched")


def test_the_copy_has_what_the_build_needs(pulumi_module: Path, tmp_path: Path) -> None:
    target = tmp_path / "patched"
    patches.copy(pulumi_module, target)
    assert (target / "codegen/schema.json").is_file()
    assert not (target / "codegen/testdata").exists()
    assert list(target.rglob("*_test.go")) == []
    cloud = sorted(path.name for path in (target / patches.REDUCED).iterdir())
    assert cloud == ["api.go", "envelope.go", "resolve.go"]


def test_the_copy_of_a_read_only_module_can_be_written(pulumi_module: Path, tmp_path: Path) -> None:
    for folder in (path for path in pulumi_module.rglob("*") if path.is_dir()):
        folder.chmod(0o555)
    target = tmp_path / "patched"
    patches.copy(pulumi_module, target)
    assert all(path.stat().st_mode & 0o200 for path in target.rglob("*"))


@pytest.mark.parametrize("edit", patches.EDITS, ids=lambda edit: f"{edit.file} {edit.pattern}")
def test_a_line_that_is_not_there_is_refused(
    pulumi_module: Path, tmp_path: Path, edit: patches.Edit
) -> None:
    file = pulumi_module / edit.file
    file.chmod(0o644)
    file.write_text("package changed\n")
    with pytest.raises(EngineError) as failure:
        patches.copy(pulumi_module, tmp_path / "patched")
    message = str(failure.value)
    assert message.startswith(f"the patches of the build do not fit {edit.file} of the module")
    assert " matches 0 times, not " in message


@pytest.mark.parametrize("edit", patches.EDITS, ids=lambda edit: f"{edit.file} {edit.pattern}")
def test_a_line_that_is_there_too_often_is_refused(
    pulumi_module: Path, tmp_path: Path, edit: patches.Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = pulumi_module / edit.file
    file.chmod(0o644)
    file.write_text(text(file) * 2)
    monkeypatch.setattr(patches, "EDITS", (edit,))
    with pytest.raises(EngineError, match=f"matches {2 * edit.count} times, not {edit.count}"):
        patches.copy(pulumi_module, tmp_path / "patched")


@pytest.mark.parametrize(
    "name",
    sorted(
        {edit.file for edit in patches.EDITS}
        | set(patches.REPLACED)
        | {f"{patches.REDUCED}/{name}" for name in patches.KEPT}
    ),
)
def test_a_file_that_is_missing_is_refused(pulumi_module: Path, tmp_path: Path, name: str) -> None:
    (pulumi_module / name).unlink()
    with pytest.raises(EngineError, match=rf"do not fit {name} of .*: it does not exist"):
        patches.copy(pulumi_module, tmp_path / "patched")


@pytest.mark.parametrize("name", patches.ADDED)
def test_a_file_of_the_module_is_not_overwritten(
    pulumi_module: Path, tmp_path: Path, name: str
) -> None:
    (pulumi_module / name).write_text("package taken\n")
    with pytest.raises(EngineError, match=rf"do not fit {name} of .*: it exists already"):
        patches.copy(pulumi_module, tmp_path / "patched")


def test_every_replacement_is_used() -> None:
    files = {
        path.relative_to(patches.REPLACEMENTS).as_posix()
        for path in patches.REPLACEMENTS.rglob("*")
        if path.is_file()
    }
    assert files == {*patches.REPLACED, *patches.ADDED}


@pytest.mark.parametrize("package", ["github.com/aws/smithy-go", "github.com/pb33f/libopenapi"])
def test_a_package_that_is_to_be_absent_is_named(package: str) -> None:
    patches.check(["fmt", "gocloud.dev/blob/gcsblob", "gocloud.dev/secrets/gcpkms"])
    with pytest.raises(EngineError, match=f"do not drop the Go package {package}"):
        patches.check(["fmt", package])


def test_the_digest_follows_what_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    before = patches.digest()
    assert patches.digest() == before
    for name in ("EDITS", "STRENGTH_EDITS"):
        with monkeypatch.context() as changed:
            changed.setattr(patches, name, getattr(patches, name)[1:])
            assert patches.digest() != before
