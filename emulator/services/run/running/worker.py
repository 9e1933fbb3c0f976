"""The parts of Cloud Run that running its resources takes."""

from emulator.services.containers.service import Containers
from emulator.services.run.models import Resources
from emulator.services.run.operations import Operations
from emulator.services.run.running.events import Events
from emulator.services.run.running.processes import Processes


class Worker:
    """Runs resources; its methods are called in the thread of `Events`.

    Args:
        resources: all of them
        operations: the long-running ones
        containers: run the processes
        processes: describe the processes
        events: the thread of all changes
    """

    def __init__(
        self,
        resources: Resources,
        operations: Operations,
        containers: Containers,
        processes: Processes,
        events: Events,
    ) -> None:
        self._resources = resources
        self._operations = operations
        self._containers = containers
        self._processes = processes
        self._events = events
