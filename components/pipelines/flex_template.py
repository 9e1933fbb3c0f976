"""The file of a flex template: the container specification that Dataflow launches jobs of.

Documented: https://cloud.google.com/dataflow/docs/guides/templates/configuring-flex-templates and
https://cloud.google.com/dataflow/docs/reference/rest/v1b3/ContainerSpec.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.base import ArgumentError

PRIVATE = "WORKER_IP_PRIVATE"
TEMPORARY, STAGING = "temp/", "staging/"
"""Folders of the bucket, whose objects are of no use after their job."""


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """The runtime environment of jobs whose launch names no other.

    Attributes:
        account: the e-mail address of the account of launchers and workers
        subnetwork: the URL of their subnetwork
        bucket: of temporary and staged files
        max_workers: workers of a job at most
        machine_type: of the workers; empty for Dataflow's choice
    """

    account: str
    subnetwork: str
    bucket: str
    max_workers: int
    machine_type: str = ""


def specification(image: str, metadata: Mapping[str, Any], defaults: Defaults) -> str:
    """Return a ContainerSpec as JSON.

    Args:
        image: of the launcher, which is that of the workers too
        metadata: of the template: its name, description and parameters
        defaults: of its jobs
    """
    environment: dict[str, Any] = {
        "serviceAccountEmail": defaults.account,
        "subnetwork": defaults.subnetwork,
        "ipConfiguration": PRIVATE,
        "tempLocation": f"gs://{defaults.bucket}/{TEMPORARY}",
        "stagingLocation": f"gs://{defaults.bucket}/{STAGING}",
        "maxWorkers": defaults.max_workers,
        "sdkContainerImage": image,
    }
    if defaults.machine_type:
        environment["machineType"] = defaults.machine_type
    spec = {
        "image": image,
        "sdkInfo": {"language": "PYTHON"},
        "metadata": metadata,
        "defaultEnvironment": environment,
    }
    return json.dumps(spec, indent=2, sort_keys=True)


def require_metadata(owner: str, pipeline: str, text: str) -> None:
    """Check that the metadata of a template has what Dataflow requires.

    Raises:
        ArgumentError: it is not JSON, or something is missing
    """
    where = f"{owner}.templates[{pipeline!r}]"
    try:
        metadata = json.loads(text)
    except ValueError as error:
        raise ArgumentError(f"{where} is not JSON: {error}") from None
    if not isinstance(metadata, dict) or not metadata.get("name"):
        raise ArgumentError(f"{where} has no name, which Dataflow requires")
    for one in metadata.get("parameters", []):
        if missing := [key for key in ("name", "label", "helpText") if not one.get(key)]:
            raise ArgumentError(f"{where} has a parameter without {missing[0]}: {one}")
