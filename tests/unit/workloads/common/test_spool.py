"""The spool: what was accepted is on disk, in order, until it was delivered or refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from workloads.common.spool import Spool, SpoolError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def reopened(spool: Spool, folder: Path) -> Spool:
    spool.release()
    return Spool(folder)


def test_items_come_back_in_order_after_a_restart(folder: Path) -> None:
    spool = Spool(folder)
    for number in range(3):
        spool.put(b"line\n%d\x00\xff" % number, peer=f"p{number}")
    again = reopened(spool, folder)
    items = [again.next() for _ in range(3)]
    assert [item and (item.read(), item.attributes) for item in items] == [
        (b"line\n%d\x00\xff" % number, {"peer": f"p{number}"}) for number in range(3)
    ]
    later = again.put(b"later")
    assert all(item and item.key < later.key for item in items)


def test_keys_stay_in_order_when_the_clock_is_set_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(folder)
    first = spool.put(b"1")
    monkeypatch.setattr("time.time_ns", lambda: 1)
    second = spool.put(b"2")
    third = reopened(spool, folder).put(b"3")
    assert first.key < second.key < third.key


def test_a_refused_item_is_a_dead_letter_with_its_reason(folder: Path) -> None:
    spool = Spool(folder)
    item = spool.put(b"MSH|bytes", peer="p")
    spool.refuse(item, "unsupported encoding")
    assert (spool.pending(), spool.dead()) == (0, 1)
    assert (folder / "dead" / item.key).read_bytes() == b"MSH|bytes"
    report = json.loads((folder / "dead" / f"{item.key}.json").read_text())
    assert (report["attributes"], report["reason"]) == ({"peer": "p"}, "unsupported encoding")


def test_a_file_is_fsynced_before_its_name_and_its_folder_after(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(folder)
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def fsyncs(descriptor: int) -> None:
        steps.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').resolve().name}")
        fsync(descriptor)

    def renames(path: Path, target: Any) -> Path:
        steps.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", fsyncs)
    monkeypatch.setattr(Path, "rename", renames)
    item = spool.put(b"x")
    assert steps == [f"fsync {item.key}.partial", "rename", "fsync pending"]
    assert item.path.stat().st_mode & 0o077 == 0


def test_what_was_not_accepted_is_removed_at_the_start(folder: Path) -> None:
    spool = Spool(folder)
    (folder / "pending" / "00000000000000000001.partial").write_bytes(b"half")
    again = reopened(spool, folder)
    assert again.pending() == 0


def test_two_processes_do_not_share_a_spool(folder: Path, tmp_path: Path) -> None:
    spool = Spool(folder)
    with pytest.raises(SpoolError, match="in use by another process"):
        Spool(folder)
    spool.release()
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="can't be used as a spool"):
        Spool(tmp_path / "file")
