"""The file of a flex template: the container specification that Dataflow launches jobs of.

Documented: https://cloud.google.com/dataflow/docs/guides/templates/configuring-flex-templates and
https://cloud.google.com/dataflow/docs/reference/rest/v1b3/ContainerSpec.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
