"""Two checkouts side by side: the figures are read from what each run reports."""

import sys
from pathlib import Path

import pytest

from benchmarks import against
from benchmarks.against import Compared
from benchmarks.clones import BenchmarkError

REPORT = """... starting an emulator, and filling its public bucket
... STOW-RS of 405 files: 362 to 613 files/s, at least 1 times
... start until ready, beside BigQuery's stand-in: 2.59 to 1.76 s, at most 1 s more
... its memory, all told: 573 to 600 MB, under 600 MB
"""


def test_the_rows_are_read_from_the_report() -> None:
    assert against.rows_of(REPORT) == {
        "STOW-RS of 405 files": (362, "files/s"),
        "start until ready, beside BigQuery's stand-in": (2.59, "s"),
        "its memory, all told": (573, "MB"),
    }


@pytest.mark.parametrize(
    ("unit", "this", "other", "speed"),
    [("files/s", 120, 100, 1.2), ("s", 2, 3, 1.5), ("MB", 400, 200, 0.5)],
)
def test_a_speed_above_one_is_better(unit: str, this: float, other: float, speed: float) -> None:
    assert Compared("work", unit, this, other).speed == pytest.approx(speed)


def test_rows_of_both_checkouts_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, figure in ((here, 150), (there, 100)):
        (folder / "benchmarks").mkdir(parents=True)
        (folder / "benchmarks" / "__main__.py").write_text(
            "import sys\n"
            f"print('... {folder.name} alone: 1 to 1 s, at most 1 s more', file=sys.stderr)\n"
            f"print('... both: {figure} to 9 files/s, at least 1 times', file=sys.stderr)\n"
        )
    python = there / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    monkeypatch.setattr(against, "ROOT", here)
    rows = list(against.compare(there, ["stow"], lambda _text: None))
    assert rows == [Compared("both", "files/s", 150, 100)]


def test_a_checkout_without_an_environment_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"has no \.venv: run `make setup` there"):
        list(against.compare(tmp_path, ["stow"], lambda _text: None))
