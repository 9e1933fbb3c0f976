"""URIs of load jobs: objects that exist alone, so that exports write no files."""

from pathlib import Path

from emulator.services.bigquery.object_uris import exists


def test_objects_and_wildcards_that_match_exist(tmp_path: Path) -> None:
    (tmp_path / "rows-1.ndjson").touch()
    assert exists(tmp_path / "rows-1.ndjson")
    assert exists(tmp_path / "rows-*")


def test_what_an_export_would_write_does_not(tmp_path: Path) -> None:
    assert not exists(tmp_path / "rows-1.ndjson")
    assert not exists(tmp_path / "rows-*.ndjson")
    assert not exists(tmp_path / "no" / "folder.ndjson")
