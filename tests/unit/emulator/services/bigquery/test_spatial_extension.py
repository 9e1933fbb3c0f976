"""DuckDB's `spatial` extension: verified once, loaded in every connection."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from emulator.services.bigquery import spatial_extension


@pytest.fixture(scope="module")
def extension() -> Path:
    return spatial_extension.installed_file()


class Opener:
    """DuckDB's `connect`, with the settings that it gets."""

    def __init__(self) -> None:
        self.settings: list[Any] = []

    def __call__(self, path: str, **options: Any) -> Any:
        self.settings.append(options.get("config"))
        return duckdb.connect(path, **options)


def test_it_is_verified_once_and_again_when_its_file_changes(
    extension: Path, tmp_path: Path
) -> None:
    verified, opener = tmp_path / "cache/verified", Opener()
    for _ in range(2):
        with spatial_extension.connect(opener, extension, verified, ":memory:") as database:
            assert database.execute("SELECT ST_X(ST_Point(1, 2))").fetchall() == [(1.0,)]
    other = tmp_path / "another_file"
    other.touch()
    spatial_extension.connect(opener, other, verified, ":memory:").close()

    assert opener.settings == [None, {"allow_unsigned_extensions": "true"}, None]


def test_no_statement_can_load_an_unsigned_one(extension: Path, tmp_path: Path) -> None:
    verified = tmp_path / "verified"
    spatial_extension.connect(duckdb.connect, extension, verified, ":memory:").close()

    with spatial_extension.connect(duckdb.connect, extension, verified, ":memory:") as database:
        with pytest.raises(duckdb.InvalidInputException):
            database.execute("SET allow_unsigned_extensions = true")
        found = database.execute("SELECT current_setting('allow_unsigned_extensions')").fetchall()

    assert found == [(False,)]


def test_a_cache_that_cant_be_written_is_reported(
    extension: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()

    cache = tmp_path / "file" / "verified"
    spatial_extension.connect(duckdb.connect, extension, cache, ":memory:").close()

    assert "each start verifies DuckDB's extension spatial" in caplog.text
