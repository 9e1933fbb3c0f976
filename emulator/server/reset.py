"""Emptying the state back to what a first start makes: the public bucket, and nothing else."""

import shutil
from pathlib import Path

from emulator import layout
from emulator.seed import BUCKET, records

_KEPT = {"children.json", "credentials.json", "server.json", "start.lock", "storage", "token"}
"""Addresses and keys stay, so that an environment printed earlier goes on to hold."""


def everything(state: Path) -> None:
    """Empty the state folder of an emulator that does not run."""
    for path in [*state.iterdir()] if state.exists() else []:
        if path.name not in _KEPT:
            _remove(path)
    buckets(layout.storage_folder(state))


def buckets(storage: Path) -> None:
    """Remove every bucket but the public one, and from that what does not belong to it."""
    for path in [*storage.iterdir()] if storage.exists() else []:
        if path.name != BUCKET:
            _remove(path)
    public = storage / BUCKET
    known = {public / record.object_name for record in records.load()}
    for path in sorted(public.rglob("*"), reverse=True):  # what is inside comes first
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and path not in known:
            path.unlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
