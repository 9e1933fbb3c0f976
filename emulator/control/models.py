"""The parts that control calls use: the backends, the operations, and a reset of the state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from emulator.core.operations.runner import Operations
from emulator.services.containers.service import Containers
from emulator.services.healthcare.stores.models import Resources
from emulator.services.iam.models import Policies
from emulator.services.pubsub.service import PubSub


class Backends(Protocol):
    """BigQuery and Cloud Storage, as the control calls see them."""

    def ready(self) -> bool:
        """Whether they can be used."""

    def failure(self) -> str:
        """Return the permanent failure that keeps them from being ready; empty if there is none."""

    def states(self) -> dict[str, str]:
        """Return the state of each, in a word."""

    def seed(self) -> None:
        """Restore missing objects of the public bucket."""

    def reset(self) -> None:
        """Empty them, except for the public bucket."""


class NoBackends:
    """No backends: the application runs alone, as it does in tests."""

    def ready(self) -> bool:
        """Return true: there is nothing to wait for."""
        return True

    def failure(self) -> str:
        """Return no failure."""
        return ""

    def states(self) -> dict[str, str]:
        """Return no states."""
        return {}

    def seed(self) -> None:
        """Do nothing: there is no bucket."""

    def reset(self) -> None:
        """Do nothing: there is nothing to empty."""


@dataclass(frozen=True)
class Inspected:
    """State that control calls show because no API returns it in one call.

    Attributes:
        resources: datasets of all locations
        policies: of all resources
        pubsub: has the messages of topics
        containers: run as processes of this machine
    """

    resources: Resources
    policies: Policies
    pubsub: PubSub
    containers: Containers


@dataclass(frozen=True)
class Control:
    """The parts of the emulator that the control calls use.

    Attributes:
        backends: BigQuery and Cloud Storage
        operations: their logs are served here
        reset: deletes the state of all services
        inspected: state that is shown here alone
    """

    backends: Backends
    operations: Operations
    reset: Callable[[], None]
    inspected: Inspected
