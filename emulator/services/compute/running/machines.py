"""The programs of an instance: the containers that its user-data starts, as child processes.

An instance without them is stored, and its status says why it runs nothing.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.services.compute.names import last, parts_of
from emulator.services.compute.running import cloud_init, docker_run
from emulator.services.compute.running.cloud_init import CloudInit, CloudInitError
from emulator.services.compute.running.docker_run import DockerRun
from emulator.services.compute.running.members import Member, Members
from emulator.services.containers.environment import OF_OWNER, mapped
from emulator.services.containers.models import Container, Logs, Phase, Restart
from emulator.services.containers.service import Containers
from emulator.services.iam_api.default_account import default_address
from emulator.services.resourcemanager.models import Projects

_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - of an argument, which is replaced
_COS_LOG = "cos_containers"
_DATA_DISKS = "/mnt/disks/"
_DEFAULT_ACCOUNT = "default"

Json = dict[str, Any]


@dataclass(frozen=True)
class Machine:
    """The programs of one instance.

    Attributes:
        containers: their names
        ports: port of the instance -> port of the container, where they differ
        failure: why it does not run; empty if it does
    """

    containers: tuple[str, ...]
    ports: Mapping[int, int]
    failure: str = ""


class Machines:
    """The instances that run.

    Args:
        containers: run the programs
        members: know the disks
        projects: know the default service account of a project
    """

    def __init__(self, containers: Containers, members: Members, projects: Projects) -> None:
        self._containers = containers
        self._members = members
        self._projects = projects
        self._running: dict[str, Machine] = {}
        self._lock = threading.Lock()

    def start(self, member: Member, on_change: Callable[[], None]) -> str:
        """Start what an instance runs; return why it can't run, or nothing.

        Args:
            member: the instance
            on_change: called when a container changes its state
        """
        self.stop(member.name)
        try:
            parsed = cloud_init.parse(_user_data(member.body))
            runs = [*_runs(parsed)]
            if not runs:
                raise CloudInitError("The user-data starts no container by `docker run`.")
        except (CloudInitError, ValueError) as error:
            return self._keep(member, Machine((), {}, str(error)))
        self._write_files(member, parsed)
        names: list[str] = []
        failures: list[str] = []
        ports: dict[int, int] = {}
        for origin, run, is_restarted in runs:
            container = self._container(member, parsed, origin, run, is_restarted)
            state = self._containers.start(container, lambda _state: on_change())
            names.append(container.name)
            ports.update(run.ports)
            if state.phase == Phase.FAILED:
                failures.append(state.reason)
        return self._keep(member, Machine(tuple(names), ports, " ".join(failures)))

    def stop(self, name: str) -> None:
        """Stop what an instance runs, and wait until it has ended."""
        self.stop_all([name])

    def stop_all(self, names: Iterable[str]) -> None:
        """Stop what instances run, all at the same time."""
        with self._lock:
            stopped = [self._running.pop(name) for name in names if name in self._running]
        self._containers.stop_all([each for one in stopped for each in one.containers])

    def running(self) -> list[str]:
        """Return the names of the instances that were started and not stopped since."""
        with self._lock:
            return [*self._running]

    def has(self, name: str) -> bool:
        """Whether an instance was started and not stopped since."""
        with self._lock:
            return name in self._running

    def state(self, name: str) -> str:
        """Return why an instance does not run what it should; nothing if it does."""
        with self._lock:
            machine = self._running.get(name)
        if machine is None:
            return "The instance is stopped."
        if machine.failure:
            return machine.failure
        for container in machine.containers:
            state = self._containers.state(container)
            if state is not None and state.phase == Phase.FAILED:
                return state.reason
        return ""

    def port(self, name: str, port: int) -> int:
        """Return the port of a container that a port of its instance leads to."""
        with self._lock:
            machine = self._running.get(name)
        return machine.ports.get(port, port) if machine else port

    def _keep(self, member: Member, machine: Machine) -> str:
        with self._lock:
            self._running[member.name] = machine
        return machine.failure

    def _write_files(self, member: Member, parsed: CloudInit) -> None:
        for path, content in parsed.files.items():
            target = self._path(member, parsed, path)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.touch(mode=0o600)
            target.write_bytes(content)

    def _container(
        self, member: Member, parsed: CloudInit, origin: str, run: DockerRun, is_restarted: bool
    ) -> Container:
        folders: dict[str, Path] = {}
        files: dict[str, Path] = {}
        for inside, outside in run.volumes.items():
            is_file = outside in parsed.files
            (files if is_file else folders)[inside] = self._path(member, parsed, outside)

        account = self._account(member)

        def local(text: str) -> str:
            return mapped(text, files).replace(_ANY_ADDRESS, member.address)

        return Container(
            name=f"{member.name}/{origin}",
            project=parts_of(member.name).project,
            image=run.image,
            logs=_logs(member),
            args=[local(word) for word in run.args],
            command=run.entry_point,
            environment={
                "HOST": member.address,  # for programs of the user's own
                **({} if account else dict.fromkeys(OF_OWNER, "")),
                **{name: local(value) for name, value in run.environment.items()},
            },
            service_account=account,
            volumes=folders,
            address=member.address,
            restart=Restart.ALWAYS if is_restarted else Restart.NEVER,
        )

    def _path(self, member: Member, parsed: CloudInit, path: str) -> Path:
        """Return what stands for a path of an instance: it is on the disk that is mounted there."""
        disks = {disk["deviceName"]: disk for disk in member.body["disks"]}
        for device, mount in parsed.mounts.items():
            if device in disks and (path == mount or path.startswith(f"{mount}/")):
                return self._members.disk_folder(disks[device]) / path[len(mount) :].lstrip("/")
        data = [disk for disk in disks.values() if not disk["boot"]]
        if path.startswith(_DATA_DISKS) and len(data) == 1:
            # The one disk that it can be, however it is mounted.
            below = path.removeprefix(_DATA_DISKS).partition("/")[2]
            return self._members.disk_folder(data[0]) / below
        [boot] = [disk for disk in disks.values() if disk["boot"]][:1]
        return self._members.disk_folder(boot) / path.lstrip("/")

    def _account(self, member: Member) -> str:
        """Return the service account of an instance; without one, it has no credentials."""
        [account, *_] = member.body.get("serviceAccounts") or [{}]
        email = str(account.get("email", ""))
        if email != _DEFAULT_ACCOUNT:
            return email
        number = self._projects.number_of(parts_of(member.name).project)
        return default_address(number)


def _user_data(body: Json) -> str:
    items = {one["key"]: one.get("value", "") for one in body["metadata"]["items"]}
    if "user-data" not in items:
        raise CloudInitError("The metadata has no user-data, so the instance runs nothing here.")
    return str(items["user-data"])


def _runs(parsed: CloudInit) -> Iterable[tuple[str, DockerRun, bool]]:
    for index, command in enumerate(parsed.commands):
        run = docker_run.parse(command.words, parsed.files)
        if run is not None:
            origin = command.origin if index == 0 else f"{command.origin}/{index}"
            yield origin, run, command.is_restarted or run.is_restarted


def _logs(member: Member) -> Logs:
    """Return where the output goes. Documented: the agent of the OS writes it to one log.

    https://cloud.google.com/container-optimized-os/docs/how-to/logging
    """
    zone = last(member.body["zone"])
    labels = {
        "project_id": parts_of(member.name).project,
        "instance_id": member.body["id"],
        "zone": zone,
    }
    more = {"compute.googleapis.com/resource_name": member.body["name"]}
    return Logs("gce_instance", labels, _COS_LOG, _COS_LOG, more)
