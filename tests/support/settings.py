"""Parsing the program's settings."""

import json
from typing import Any

import pytest

from program import config as settings
from program.config import Settings
from program.config.errors import SettingsError

OWN = settings.NAMESPACE


def parse(project: str | None = "local-project", /, **config: Any) -> Settings:
    """Parse keys of our namespace, as the engine would hand them over."""
    values = {
        f"{OWN}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    if project is not None:
        values["gcp:project"] = project
    return settings.parse(values)


def problems(project: str | None = "local-project", /, **config: Any) -> dict[str, str]:
    """Key of each problem, without the namespace -> the problem in full."""
    with pytest.raises(SettingsError) as refused:
        parse(project, **config)
    return {error.key.removeprefix(f"{OWN}:"): str(error) for error in refused.value.errors}


def problem(key: str, /, **config: Any) -> str:
    found = problems(**config)
    assert list(found) == [key]
    return found[key]
