"""Output of scripts that no terminal shows."""

import pytest
from rich.table import Table

from scripts.lib.cli import Output


def test_a_pipe_cuts_no_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    name = f"projects/my-project/locations/us-central1/datasets/{'d' * 90}/dicomStores/store"
    table = Table("type", "name", "state")
    table.add_row("DICOM store", name, "would be destroyed")
    output = Output()
    output.headline("Resources")
    output.out.print(table)
    heading, *rows = capsys.readouterr().out.splitlines()
    assert name in "".join(rows)
    assert len(heading) == 80
