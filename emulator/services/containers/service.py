"""Containers as the services that run them see them."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from emulator.services.containers.environment import environment, mapped
from emulator.services.containers.identities import Identities
from emulator.services.containers.images import Images
from emulator.services.containers.keeper import Keeper, Listener
from emulator.services.containers.models import CannotRunError, Container, Phase, State
from emulator.services.containers.output import Output
from emulator.services.containers.pids import Pids
from emulator.services.iam_api.service import IamApi
from emulator.services.logging.entries import Entries

FOLDER = "containers"
"""In the state folder: keys of service accounts, and the folders of running containers."""


class Containers:
    """The containers that run, each as a child process.

    Nothing is kept: a service starts its containers again when the emulator starts.

    Args:
        folder: for files of the containers, in the state folder
        endpoints: variables that lead Google's tools and libraries to the emulator
        images: those that can run
        iam_api: the service accounts
        entries: of Cloud Logging
    """

    def __init__(
        self,
        folder: Path,
        endpoints: Mapping[str, str],
        images: Images,
        iam_api: IamApi,
        entries: Entries,
    ) -> None:
        self._folder = folder
        self._endpoints = endpoints
        self._images = images
        self._identities = Identities(iam_api, folder / "keys")
        self._entries = entries
        self._pids = Pids(folder.parent)
        self._lock = threading.Lock()
        self._keepers: dict[str, Keeper] = {}
        self._failed: dict[str, State] = {}
        self._started: dict[str, Container] = {}

    def start(self, container: Container, on_change: Listener = lambda _state: None) -> State:
        """Start a container; one of the same name is stopped first.

        Args:
            container: what to run
            on_change: called with each new state, in the thread of the container; it must not stop
                the container

        Returns:
            Its state: FAILED with a reason if its image can't run here, or its account does not
            exist.
        """
        self.stop(container.name)
        self._started[container.name] = container
        try:
            launch = self._launch(container)
        except CannotRunError as error:
            failed = State(Phase.FAILED, str(error))
            self._failed[container.name] = failed
            return failed
        logs = container.logs
        keeper = Keeper(
            container,
            launch,
            lambda: (
                Output(self._entries, container.project, logs, logs.stdout),
                Output(self._entries, container.project, logs, logs.stderr),
            ),
            self._pids,
            on_change,
        )
        with self._lock:
            self._keepers[container.name] = keeper
        keeper.start()
        return keeper.state

    def stop(self, name: str) -> None:
        """Stop a container and wait until its process has ended; one that is unknown is stopped."""
        self.stop_all([name])

    def stop_all(self, names: Sequence[str]) -> None:
        """Stop containers at the same time."""
        with self._lock:
            stopped = {name: self._keepers.pop(name) for name in names if name in self._keepers}
            for name in names:
                self._failed.pop(name, None)
                self._started.pop(name, None)
        for keeper in stopped.values():
            keeper.ask_to_stop()
        for name, keeper in stopped.items():
            keeper.join()
            shutil.rmtree(self._folder_of(name), ignore_errors=True)

    def state(self, name: str) -> State | None:
        """Return the state of a container that was started and not stopped since."""
        with self._lock:
            keeper = self._keepers.get(name)
            return keeper.state if keeper else self._failed.get(name)

    def names(self) -> list[str]:
        """Return the names of all containers that were started and not stopped since."""
        with self._lock:
            return sorted({*self._keepers, *self._failed})

    def of_project(self, project: str) -> list[tuple[Container, State]]:
        """Return the containers of a project that were started and not stopped since, by name."""
        started = [each for _, each in sorted(self._started.items()) if each.project == project]
        states = [(each, self.state(each.name)) for each in started]
        return [(each, state) for each, state in states if state]

    def close(self) -> None:
        """Stop all containers."""
        self.stop_all(self.names())

    def reset(self) -> None:
        """Stop all containers, and remove their files."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def check(self, container: Container) -> None:
        """Raise an error for a container that can't run here.

        Raises:
            CannotRunError: its image, its entry point or its service account is unknown
        """
        self._launch(container)

    def _launch(self, container: Container) -> Callable[[], tuple[list[str], dict[str, str], Path]]:
        """Return what begins a process of a container."""
        command = self._images.command(container.image, container.address, container.command)
        account = container.service_account
        # Here, and not in the thread of the container, which would open a connection of its own.
        key_file = self._identities.key_file(account, container.project) if account else None

        def launch() -> tuple[list[str], dict[str, str], Path]:
            folder = self._folder_of(container.name)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for volume in container.volumes.values():
                volume.mkdir(mode=0o700, parents=True, exist_ok=True)
            words = [*command, *(mapped(word, container.volumes) for word in container.args)]
            return words, environment(container, self._endpoints, folder, key_file), folder

        return launch

    def _folder_of(self, name: str) -> Path:
        """Return the home of a container: its name is too long for a file's."""
        return self._folder / "homes" / hashlib.sha256(name.encode()).hexdigest()[:32]
