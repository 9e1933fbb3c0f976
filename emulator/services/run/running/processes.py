"""Containers of Cloud Run as `services.containers` runs them.

Documented: https://cloud.google.com/run/docs/container-contract (variables of each kind of
resource), https://cloud.google.com/run/docs/logging (logs), and
https://cloud.google.com/monitoring/api/resources (labels of the monitored resources).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.core.timestamps import parse_duration
from emulator.services.containers.models import (
    STARTUP_SECONDS,
    CannotRunError,
    Container,
    Logs,
    Restart,
)
from emulator.services.run.running.secret_values import SecretValues

STDOUT, STDERR = "run.googleapis.com/stdout", "run.googleapis.com/stderr"

Json = dict[str, Any]


@dataclass(frozen=True)
class _Path:
    """The parts of the full name of a revision, an execution or a task."""

    project: str
    location: str
    parent: str
    id: str

    @classmethod
    def of(cls, name: str) -> "_Path":
        parts = name.split("/")
        return cls(parts[1], parts[3], parts[5], parts[-1])

    def labels(self, **more: str) -> dict[str, str]:
        return {"project_id": self.project, "location": self.location, **more}


@dataclass(frozen=True)
class Processes:
    """Describes the processes of resources.

    Attributes:
        secrets: values of secrets that variables and volumes name
    """

    secrets: SecretValues

    def of_service(self, revision: Json, port: int, *, was_ready: bool) -> Container:
        """Return the container of a revision of a service.

        Args:
            revision: the revision
            port: a free one, where the container is to listen
            was_ready: whether the revision has been ready before

        Raises:
            ApiError: a secret can't be read
            CannotRunError: it can't run here
        """
        path = _Path.of(revision["name"])
        names = {"K_SERVICE": path.parent, "K_CONFIGURATION": path.parent}
        labels = path.labels(
            service_name=path.parent, configuration_name=path.parent, revision_name=path.id
        )
        return self._container(
            revision["name"],
            revision,
            Logs("cloud_run_revision", labels, STDOUT, STDERR),
            {**names, "K_REVISION": path.id, "PORT": str(port)},
            port=port,
            startup_seconds=_startup_seconds(revision["containers"][0].get("startupProbe")),
            restart=Restart.ALWAYS if was_ready else Restart.ONCE_READY,
        )

    def of_worker_pool(self, revision: Json) -> Container:
        """Return the container of a revision of a worker pool.

        Raises:
            ApiError: a secret can't be read
            CannotRunError: it can't run here
        """
        path = _Path.of(revision["name"])
        variables = {
            "CLOUD_RUN_WORKER_POOL": path.parent,
            "CLOUD_RUN_WORKER_POOL_REVISION": path.id,
        }
        labels = path.labels(worker_pool_name=path.parent, revision_name=path.id)
        logs = Logs("cloud_run_worker_pool", labels, STDOUT, STDERR)
        return self._container(revision["name"], revision, logs, variables)

    def of_task(self, task: Json, execution: Json) -> Container:
        """Return the container of the next attempt of a task.

        Args:
            task: the task; `retried` counts the attempts before this one
            execution: its execution

        Raises:
            ApiError: a secret can't be read
            CannotRunError: it can't run here
        """
        path = _Path.of(task["name"])
        index, attempt = str(task.get("index", 0)), str(task.get("retried", 0))
        id_ = execution["name"].rpartition("/")[2]
        variables = {
            "CLOUD_RUN_JOB": path.parent,
            "CLOUD_RUN_EXECUTION": id_,
            "CLOUD_RUN_TASK_INDEX": index,
            "CLOUD_RUN_TASK_ATTEMPT": attempt,
            "CLOUD_RUN_TASK_COUNT": str(execution["taskCount"]),
        }
        prefix = "run.googleapis.com"
        labels = {
            f"{prefix}/execution_name": id_,
            f"{prefix}/task_index": index,
            f"{prefix}/task_attempt": attempt,
        }
        monitored = path.labels(job_name=path.parent)
        logs = Logs("cloud_run_job", monitored, STDOUT, STDERR, labels)
        return self._container(
            task["name"],
            task,
            logs,
            variables,
            restart=Restart.NEVER,
            max_seconds=parse_duration(task.get("timeout", "0s")) or math.inf,
        )

    def _container(
        self, name: str, template: Json, logs: Logs, variables: Mapping[str, str], **fields: Any
    ) -> Container:
        first, *others = template["containers"]
        if others:
            raise CannotRunError(
                f"{name.rpartition('/')[2]} has {len(others) + 1} containers: the local Google "
                "Cloud runs resources of one container alone."
            )
        project, account = _Path.of(name).project, template["serviceAccount"]
        return Container(
            name=name,
            project=project,
            image=first["image"],
            logs=logs,
            args=first.get("args", ()),
            command=first.get("command", ()),
            environment={**self._variables(project, first, account), **variables},
            service_account=account,
            volumes=self._volumes(name, first, template),
            **fields,
        )

    def _variables(self, project: str, container: Json, account: str) -> dict[str, str]:
        found = {}
        for variable in container.get("env", []):
            reference = variable.get("valueSource", {}).get("secretKeyRef")
            value = variable.get("value", "")
            if reference:
                version = reference.get("version", "")
                value = self.secrets.read(project, reference["secret"], version, account).decode()
            found[variable["name"]] = value
        return found

    def _volumes(self, name: str, container: Json, template: Json) -> dict[str, Path]:
        declared = {volume["name"]: volume for volume in template.get("volumes", [])}
        account = template["serviceAccount"]
        return {
            mount["mountPath"]: self.secrets.volume(name, declared[mount["name"]], account)
            for mount in container.get("volumeMounts", [])
        }


def _startup_seconds(probe: Json | None) -> float:
    """Return the seconds that a startup probe leaves to a container.

    Documented: https://cloud.google.com/run/docs/configuring/healthchecks.
    """
    if not probe:
        return STARTUP_SECONDS
    tries = probe.get("failureThreshold", 3) * probe.get("periodSeconds", 10)
    return float(probe.get("initialDelaySeconds", 0) + tries)
