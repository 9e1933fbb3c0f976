"""Reset the state to that of a first start: the public bucket, and nothing else."""

import shutil
from pathlib import Path

from emulator.seed import records
from emulator.seed.patients import object_names
from emulator.server import state_dir
from emulator.services.storage.public_bucket import BUCKET, PATIENTS_BUCKET

_KEPT = {"children.json", "credentials.json", "server.json", "start.lock", "storage", "token"}
"""Addresses and keys stay, so that an environment printed earlier stays valid."""


def reset_state(state: Path) -> None:
    """Empty the state folder of an emulator that is not running."""
    for path in [*state.iterdir()] if state.exists() else []:
        if path.name not in _KEPT:
            _remove(path)
    reset_buckets(state_dir.storage_folder(state))


def reset_buckets(storage: Path) -> None:
    """Remove every bucket but the public ones, and objects that do not belong to these."""
    public = {
        BUCKET: {record.object_name for record in records.load()},
        PATIENTS_BUCKET: {*object_names()},
    }
    for path in [*storage.iterdir()] if storage.exists() else []:
        if path.name not in public:
            _remove(path)
    for name, objects in public.items():
        _remove_others(storage / name, objects)


def _remove_others(bucket: Path, objects: set[str]) -> None:
    """Remove the objects of a bucket that are not among some, by their names."""
    known = {bucket / name for name in objects}
    for path in sorted(
        bucket.rglob("*"), reverse=True
    ):  # the content of a folder before the folder
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and path not in known:
            path.unlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
