"""Rollouts: which revisions of services and worker pools run, and what becomes of them.

A new revision serves once it is ready, and the one before ends then. One that does not become ready
leaves the one before as it is. All methods are called in the thread of `Events`.

Observed in public reports: an operation ends with code 9 if its revision does not become ready.
"""

import logging
from functools import partial
from typing import Any

from emulator.core.errors import ApiError
from emulator.core.processes.ports import free_port
from emulator.core.timestamps import parse_duration
from emulator.services.containers.models import CannotRunError, Container, Phase, State
from emulator.services.run import conditions, templates
from emulator.services.run.conditions import (
    CONFIGURATIONS_READY,
    CONTAINER_HEALTHY,
    FAILED,
    READY,
    ROUTES_READY,
    SUCCEEDED,
    condition,
)
from emulator.services.run.models import Resource
from emulator.services.run.resource_types import SERVICE, type_of
from emulator.services.run.revisions import targets
from emulator.services.run.running.outcomes import (
    outcome_of,
    served_by,
    serving_statuses,
    settled,
    with_conditions,
)
from emulator.services.run.running.worker import Worker
from emulator.services.run.serving.frontends import Frontends, Route

LOG = logging.getLogger(__name__)
_SECRETS_FAILED = "SECRETS_ACCESS_CHECK_FAILED"
_UNHEALTHY = "HEALTH_CHECK_CONTAINER_ERROR"


class Rollouts(Worker):
    """Runs the revisions of services and worker pools."""

    def __init__(self, *parts: Any, frontends: Frontends) -> None:
        super().__init__(*parts)
        self._frontends = frontends
        self._ports: dict[str, int] = {}
        self._opened: set[str] = set()
        self._stopping: set[str] = set()
        self._unable: dict[str, str] = {}
        """Revision that is kept, although it can't run here -> why."""

    def roll_out(self, name: str) -> None:
        """Run what a service or a worker pool asks for, after any change of it."""
        owner = self._resources.find(name)
        if owner is None or "deleteTime" in owner:
            return
        if type_of(name) is SERVICE:
            self._open(name)
        created = owner["latestCreatedRevision"]
        wanted = self._wanted(owner)
        for revision in sorted(wanted - self._running(name) - self._stopping):
            self._start(owner, revision)
        if wanted & self._stopping or any(map(self._is_starting, wanted)):
            return  # what serves now continues until then
        for revision in self._running(name) - wanted:
            self._stop(revision)
        if not wanted and self._is_pending(created):
            self._succeed(name, created)  # no instance is asked for
        if owner.get("reconciling") and not self._is_pending(created):
            self._conclude(name)
        self._route(name)

    def remove(self, name: str) -> None:
        """Stop what runs of a service or a worker pool, and delete it then."""
        body = self._resources.find(name)
        if body is None:
            return
        self._frontends.close(name)
        self._opened.discard(name)
        running = sorted(self._running(name))
        self._events.add_blocking(
            partial(self._containers.stop_all, running), partial(self._removed, name, body)
        )

    def reset(self) -> None:
        """Delete all resources, those of jobs too, and forget what runs."""
        self._resources.clear()
        self._frontends.close_all()
        for known in (self._opened, self._stopping, self._ports, self._unable):
            known.clear()

    def _removed(self, name: str, body: Resource) -> None:
        for revision in self._resources.below(f"{name}/"):
            self._forget(revision["name"])
        self._resources.delete(name)
        self._operations.finish(name, body)

    def _wanted(self, owner: Resource) -> set[str]:
        """Return the revisions that are to run: those that serve, and the newest one."""
        if owner.get("scaling", {}).get("manualInstanceCount") == 0:
            return set()
        names = {f"{owner['name']}/revisions/{id_}" for id_ in targets(owner)}
        created = owner["latestCreatedRevision"]
        names |= {created} if self._is_pending(created) else set()
        found = {name: self._resources.find(name) for name in names}
        return {
            name
            for name, body in found.items()
            if body and conditions.state_of(body, READY) != FAILED
        }

    def _is_pending(self, revision: str) -> bool:
        body = self._resources.find(revision)
        return body is not None and bool(body.get("reconciling"))

    def _is_starting(self, revision: str) -> bool:
        state = self._containers.state(revision)
        return state is not None and state.phase == Phase.STARTING

    def _running(self, owner: str) -> set[str]:
        prefix = f"{owner}/revisions/"
        running = [*self._containers.names(), *self._unable]
        return {name for name in running if name.startswith(prefix)} - self._stopping

    def _start(self, owner: Resource, revision: str) -> None:
        body = self._resources.get(revision)
        try:
            container = self._container(body)
            self._containers.check(container)
        except CannotRunError as error:
            LOG.warning("%s does not run: %s", revision, error)
            self._unable[revision] = str(error)
            self._succeed(owner["name"], revision)
        except ApiError as error:
            message = conditions.not_started(revision.rpartition("/")[2], error.message)
            self._fail(owner["name"], revision, message, _SECRETS_FAILED)
        else:
            listener = partial(self._note, owner["name"], revision)
            self._containers.start(
                container, lambda state: self._events.add(partial(listener, state))
            )

    def _container(self, revision: Resource) -> Container:
        name = revision["name"]
        if type_of(name.rsplit("/", 2)[0]) is not SERVICE:
            return self._processes.of_worker_pool(revision)
        port = self._ports[name] = free_port(self._ports.values())
        was_ready = conditions.state_of(revision, READY) == SUCCEEDED
        return self._processes.of_service(revision, port, was_ready=was_ready)

    def _note(self, owner: str, revision: str, state: State) -> None:
        """Take a new state of the container of a revision."""
        if self._containers.state(revision) is None:
            return  # stopped since
        if state.phase == Phase.READY:
            self._succeed(owner, revision)
        elif state.phase in (Phase.ENDED, Phase.FAILED) and self._is_pending(revision):
            self._fail(owner, revision, self._why(revision, state), _UNHEALTHY)
        elif state.phase in (Phase.RESTARTING, Phase.FAILED):
            unhealthy = condition(CONTAINER_HEALTHY, FAILED, state.reason)
            self._resources.update(revision, lambda body: with_conditions(body, unhealthy))

    def _why(self, revision: str, state: State) -> str:
        id_ = revision.rpartition("/")[2]
        body = self._resources.get(revision)
        if type_of(revision.rsplit("/", 2)[0]) is not SERVICE:
            return conditions.not_started(id_, state.reason)
        port = templates.port_of(body)
        return f"{conditions.not_listening(id_, port)} {state.reason}"

    def _succeed(self, owner: str, revision: str) -> None:
        """Have a revision serve, now that it is ready or can't run here at all."""
        unable = self._unable.get(revision, "")
        ready, healthy = (
            conditions.cannot_run(one, unable) if unable else condition(one, SUCCEEDED)
            for one in (READY, CONTAINER_HEALTHY)
        )
        present = self._resources.find(revision) or {}
        if outcome_of(ready) in map(outcome_of, present.get("conditions", [])):
            self._resources.update(
                revision, lambda body: with_conditions(body, healthy)
            )  # started again
        else:
            self._resources.update(
                revision, lambda body: settled(with_conditions(body, ready, healthy))
            )
            self._resources.update(owner, partial(served_by, revision))
        # The revision before ends now, unless the traffic goes there.
        self._events.add(partial(self.roll_out, owner))

    def _fail(self, owner: str, revision: str, message: str, reason: str) -> None:
        """Leave a service as it is, whose newest revision does not become ready."""
        failed = condition(READY, FAILED, message, revisionReason=reason)
        if reason == _SECRETS_FAILED:
            failed = condition(READY, FAILED, message, reason=reason)
        self._resources.update(revision, lambda body: settled(with_conditions(body, failed)))
        self._resources.update(owner, lambda body: {**body, "reconciling": True})
        self._stop(revision)
        self._events.add(partial(self.roll_out, owner))

    def _stop(self, revision: str) -> None:
        self._unable.pop(revision, None)
        self._stopping.add(revision)
        self._events.add_blocking(
            partial(self._containers.stop, revision), partial(self._stopped, revision)
        )

    def _stopped(self, revision: str) -> None:
        self._forget(revision)
        self.roll_out(revision.rsplit("/", 2)[0])  # it may be wanted again

    def _forget(self, revision: str) -> None:
        self._unable.pop(revision, None)
        self._stopping.discard(revision)
        self._ports.pop(revision, None)
        self._processes.secrets.forget(revision)

    def _conclude(self, name: str) -> None:
        """Write what became of the newest generation, and end the operations on it."""
        owner = self._resources.get(name)
        newest = self._resources.find(owner.get("latestCreatedRevision", "")) or {}
        outcome = next((one for one in newest.get("conditions", []) if one["type"] == READY), None)
        terminal = outcome or condition(READY, SUCCEEDED)
        parts = [CONFIGURATIONS_READY] if type_of(name) is SERVICE else []
        others = [{**terminal, "type": part} for part in parts]
        others += [condition(ROUTES_READY, SUCCEEDED)] if parts else []

        def change(body: Resource) -> Resource:
            done = settled({**body, "terminalCondition": terminal, "conditions": others})
            return {**done, **serving_statuses(done)}

        body = self._resources.update(name, change)
        assert body
        self._operations.finish(name, body, conditions.failure(body))

    def _open(self, service: str) -> None:
        """Listen at the address of a service, the one that it had before if it is free."""
        if service in self._opened:
            return
        before = self._resources.port(service)
        try:
            port = self._frontends.open(service, before or free_port(self._ports.values()))
        except OSError:
            port = self._frontends.open(service, free_port(self._ports.values()))
            LOG.warning("port %s of %s is in use: it listens on %d now", before, service, port)
        self._opened.add(service)
        self._resources.set_port(service, port)
        uri = f"http://127.0.0.1:{port}"
        self._resources.update(service, lambda body: {**body, "uri": uri, "urls": [uri]})

    def _route(self, name: str) -> None:
        owner = self._resources.get(name)
        if type_of(name) is not SERVICE:
            return
        shares = targets(owner)
        names = {f"{name}/revisions/{id_}": share for id_, share in shares.items()}
        found = [
            (self._ports[revision], share)
            for revision, share in names.items()
            if revision in self._ports and revision not in {*self._unable, *self._stopping}
        ]
        reasons = [self._unable[revision] for revision in names if revision in self._unable]
        reason = " ".join(reasons) or owner.get("terminalCondition", {}).get("message", "")
        timeout = parse_duration(owner["template"].get("timeout", "300s"))
        self._frontends.route(name, Route(found, reason, timeout))
