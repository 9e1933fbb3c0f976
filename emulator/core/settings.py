"""Settings of the emulator that every service may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = "local-project"
"""The project of tools that name no project."""


@dataclass(frozen=True)
class Settings:
    """Where the emulator keeps its state and finds its backends.

    Attributes:
        state_dir: the folder of everything that survives a restart
        root_url: the emulator's own address, `http://127.0.0.1:PORT`
        bigquery_url: the address of the BigQuery backend, without a path
        storage_url: the address of the Cloud Storage backend, without a path
        all_services_enabled: whether every service counts as enabled in every project
        enforce_iam: whether every call is decided by the roles of its caller
        storage_dir: the folder of the Cloud Storage backend's objects, if it is on this machine
        environment: variables that lead Google's tools and libraries to the emulator
        images: name of a container image -> the Python module or file that runs in its place
    """

    state_dir: Path
    root_url: str
    bigquery_url: str
    storage_url: str
    all_services_enabled: bool = False
    enforce_iam: bool = False
    storage_dir: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
