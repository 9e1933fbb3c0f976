"""A container as the services that run it describe it, and its state."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

STARTUP_SECONDS = 240.0
"""Seconds until a container has to listen on its port. Documented, the default of Cloud Run:
https://cloud.google.com/run/docs/configuring/healthchecks."""


class CannotRunError(Exception):
    """A container that can't run here, in a sentence for people."""


class Restart(StrEnum):
    """When a container that ended is started again."""

    ALWAYS = "always"
    ONCE_READY = "once it has been ready"
    NEVER = "never"


class Phase(StrEnum):
    """The stages of a container."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class Logs:
    """Where the output of a container goes in Cloud Logging.

    Attributes:
        resource_type: of the monitored resource, such as `cloud_run_revision`
        resource_labels: of the monitored resource
        stdout: the id of the log of its output, such as `run.googleapis.com/stdout`
        stderr: the id of the log of its errors
        labels: of each entry
    """

    resource_type: str
    resource_labels: Mapping[str, str]
    stdout: str
    stderr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Container:
    """A container to run.

    Attributes:
        name: unique among the containers: the name of the resource that it belongs to
        project: the id of the project
        image: its reference
        logs: where its output goes
        args: follow the entry point
        command: replaces the entry point of the image, if any
        environment: variables beside those of every container
        service_account: the address of the account that it acts as
        volumes: paths in the container, and the folders of this machine that stand for them
        address: where it listens, an address of this machine
        port: where it listens; a container without a port is ready once it runs
        startup_seconds: until it has to listen
        restart: when it is started again after its end
        max_seconds: that its process may run
    """

    name: str
    project: str
    image: str
    logs: Logs
    args: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    service_account: str = ""
    volumes: Mapping[str, Path] = field(default_factory=dict)
    address: str = "127.0.0.1"
    port: int | None = None
    startup_seconds: float = STARTUP_SECONDS
    restart: Restart = Restart.ALWAYS
    max_seconds: float = math.inf


@dataclass(frozen=True)
class State:
    """The state of a container.

    Attributes:
        phase: what it does
        reason: why it ended, failed or restarts; empty otherwise
        exit_code: of its last process that ended
        pid: of its process
        restarts: after its own end, since it was started
    """

    phase: Phase
    reason: str = ""
    exit_code: int | None = None
    pid: int | None = None
    restarts: int = 0
