"""The program itself, run in process on a deployment that is only noted down."""

import runpy
from pathlib import Path
from typing import Any

from tests.unit.components.deployment import Deployment, deploy

MAIN = Path(__file__).parents[2] / "__main__.py"


def run(
    into: Deployment | None = None, /, *, tables: list[str] | None = None, **config: Any
) -> Deployment:
    values = {f"gcp-healthcare-dicom:{key}": value for key, value in config.items()}
    return deploy(
        lambda: runpy.run_path(str(MAIN), run_name="__main__"),
        {"gcp:project": "local-project", **values},
        into=into,
        tables=tables,
    )
