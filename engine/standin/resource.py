"""One row of the table of resource types, and the engine that works by it.

The engine is written once. What a row adds is its properties and a `Behaviour`: the few calls that
create, read, update and delete. Most rows share the one in `rest.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.standin import labels
from engine.standin.diff import Change, compare
from engine.standin.errors import ApiError, PartialError, StandInError
from engine.standin.http import Api
from engine.standin.properties import Failure, Naming, Properties, check
from engine.standin.values import UNKNOWN, Values, is_zero, without_internal

_TIMEOUTS_KEY = (
    "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"  # the bridge's own name for timeouts in `__meta`
)


class Behaviour(Protocol):
    """The calls behind one resource type."""

    @property
    def service(self) -> str:
        """The Google service that it calls, a key of `config.SERVICES`."""

    def create(self, row: "Resource", wanted: Values, api: Api) -> str:
        """Makes the resource; returns its id."""

    def read(self, row: "Resource", id_: str, known: Values, api: Api) -> Values | None:
        """Reads the outputs; None when the resource is gone."""

    def update(self, row: "Resource", id_: str, change: "Update", api: Api) -> None:
        """Changes the resource in place."""

    def delete(self, row: "Resource", id_: str, state: Values, api: Api) -> None:
        """Deletes the resource; one that is gone already is fine."""

    def adopt(self, row: "Resource", id_: str, api: Api) -> tuple[str, Values]:
        """Takes apart an id given to `pulumi import`: the full id, and the properties it holds."""


@dataclass(frozen=True)
class Update:
    """A change in place.

    Attributes:
        state: outputs before.
        wanted: inputs, with the provider's settings and the planned labels filled in.
        changed: names of the properties that differ.
        timeout: seconds that the program allows, 0 for the default.
    """

    state: Values
    wanted: Values
    changed: frozenset[str]
    timeout: float = 0


@dataclass(frozen=True)
class Difference:
    """The answer to "what would an update do?"."""

    changes: list[Change]
    delete_first: bool

    @property
    def replaces(self) -> bool:
        """Whether it takes a new resource."""
        return any(change.replace for change in self.changes)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One row of the table.

    Attributes:
        pulumi_type: Pulumi's name of the type.
        title: what the provider's errors call it.
        properties: all of them, in the order in which the provider names them in an update mask.
        behaviour: the calls.
        timeouts: defaults in minutes, as the real plugin records them in the state.
        uncovered: inputs of the real plugin that the stand-in does not know.
        importable: whether `pulumi import` may adopt one.
    """

    pulumi_type: str
    title: str
    properties: Properties
    behaviour: Behaviour
    timeouts: Mapping[str, int] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()
    importable: bool = True

    @property
    def labelled(self) -> bool:
        """Whether it carries labels."""
        return "effectiveLabels" in self.properties

    def check(self, news: Values, olds: Values, naming: Naming) -> tuple[Values, list[Failure]]:
        """Checks inputs and fills defaults."""
        covered = {name: value for name, value in news.items() if name not in self.uncovered}
        inputs, failures = check(self.properties, covered, olds, naming)
        failures += [
            Failure(
                name,
                f'the stand-in does not cover "{name}" of {self.pulumi_type}: '
                "only the real gcp plugin does",
            )
            for name in news.keys() & set(self.uncovered)
        ]
        return inputs, failures

    def diff(self, state: Values, news: Values, api: Api) -> Difference:
        """Compares the state with the inputs."""
        wanted = self.wanted(news, api)
        old = dict(state)
        if "deletionPolicy" in self.properties and not old.get("deletionPolicy"):
            old["deletionPolicy"] = wanted["deletionPolicy"]  # states older than the property
        changes = compare(self.properties, old, wanted)
        if (
            not changes
            and self.labelled
            and _labels_differ(labels.planned(api.config, wanted, state), state)
        ):
            changes = [Change("pulumiLabels", "update", replace=False)]
        # Two resources of one name cannot be: unless the name changes too, the old one goes first.
        replaced = {change.top for change in changes if change.replace}
        names = ("name", "tableId", "datasetId")
        named = next((name for name in names if name in self.properties), None)
        made_up = named in news.get("__defaults", ())
        return Difference(
            changes, bool(replaced and named and named not in replaced and not made_up)
        )

    def wanted(self, news: Values, api: Api) -> Values:
        """Inputs with the provider's settings in the place of what the program left out."""
        wanted = without_internal(news)
        for name, prop in self.properties.items():
            if prop.from_provider and name not in wanted:
                setting = getattr(api.config, prop.from_provider)
                wanted[name] = UNKNOWN if setting is None else setting
        return {name: value for name, value in wanted.items() if value != ""}

    def preview(self, news: Values, state: Values | None, api: Api) -> Values:
        """The outputs as far as they are known before the update."""
        wanted = self.wanted(news, api)
        fillable = [n for n, p in self.properties.items() if p.output or p.computed]
        kept = {n: (state or {}).get(n, UNKNOWN) for n in fillable if state is None or n in state}
        planned = labels.planned(api.config, wanted, state) if self.labelled else {}
        return {
            "id": UNKNOWN if state is None else state.get("id", UNKNOWN),
            **kept,
            **wanted,
            **planned,
        }

    def create(self, news: Values, api: Api) -> tuple[str, Values]:
        """Makes the resource and reads it.

        Raises:
            PartialError: it was made, but cannot be read.
        """
        wanted = self._planned(news, None, api)
        try:
            id_ = self.behaviour.create(self, wanted, api)
        except ApiError as error:
            raise self._explained(f"Error creating {self.title}", error) from error
        try:
            state = self.behaviour.read(self, id_, wanted, api)
        except StandInError as error:
            raise PartialError(
                f"{self.title} {id_} was created, but: {error}", id_, wanted
            ) from error
        if state is None:
            raise StandInError(
                f"{self.title} {id_} was created, but is gone: did somebody delete it?"
            )
        return id_, self._outputs(id_, state, self._new_meta())

    def read(
        self, id_: str, state: Values, inputs: Values, api: Api
    ) -> tuple[str, Values, Values] | None:
        """Reads the resource, for a refresh or, when the state tells nothing yet, for an import.

        Returns:
            Id, outputs and inputs; None when it is gone.
        """
        known = without_internal(state)
        if any((p.required or p.autoname) and n not in known for n, p in self.properties.items()):
            if not self.importable:
                raise StandInError(
                    f"{self.pulumi_type} cannot be imported: the API has no way to read one"
                )
            id_, known = self.behaviour.adopt(self, id_, api)
            known = {**self._settings(api), **known}
        found = self.behaviour.read(self, id_, known, api)
        if found is None:
            return None
        meta = state.get("__meta") or self._new_meta()
        outputs = self._outputs(id_, found, meta)
        return id_, outputs, self._inputs(outputs, inputs)

    def update(self, id_: str, state: Values, news: Values, timeout: float, api: Api) -> Values:
        """Changes the resource in place and reads it."""
        wanted = self._planned(news, state, api)
        changed = {change.top for change in compare(self.properties, state, wanted)}
        if self.labelled and wanted["effectiveLabels"] != (state.get("effectiveLabels") or {}):
            changed.add("labels")
        else:
            changed.discard("labels")
        try:
            self.behaviour.update(
                self, id_, Update(state, wanted, frozenset(changed), timeout), api
            )
        except ApiError as error:
            raise self._explained(f'Error updating {self.title} "{id_}"', error) from error
        found = self.behaviour.read(self, id_, {**self._filled(state), **wanted}, api)
        if found is None:
            raise StandInError(
                f"{self.title} {id_} is gone: run `pulumi refresh`, then `pulumi up` makes it again"
            )
        return self._outputs(id_, found, state.get("__meta") or self._new_meta())

    def delete(self, id_: str, state: Values, api: Api) -> None:
        """Deletes the resource, unless its deletion policy is against it."""
        policy = state.get("deletionPolicy")
        if policy == "PREVENT":
            raise StandInError(
                f'cannot destroy {self.title} "{id_}": its deletionPolicy is "PREVENT"; '
                'set it to "DELETE", run `pulumi up`, then try again'
            )
        if policy == "ABANDON":
            return
        try:
            self.behaviour.delete(self, id_, state, api)
        except ApiError as error:
            if error.code != 404:
                raise self._explained(f'Error deleting {self.title} "{id_}"', error) from error

    def _planned(self, news: Values, state: Values | None, api: Api) -> Values:
        wanted = self.wanted(news, api)
        self._require_project(wanted)
        return {**wanted, **labels.planned(api.config, wanted, state)} if self.labelled else wanted

    def _filled(self, state: Values) -> Values:
        """What the cloud or the provider filled in, without what the program once asked for."""
        props = self.properties.items()
        return {n: state[n] for n, p in props if (p.output or p.computed) and n in state}

    def _require_project(self, wanted: Values) -> None:
        prop = self.properties.get("project")
        if prop is not None and prop.from_provider and not wanted.get("project"):
            raise StandInError(
                f"{self.title}: no project; set it with `pulumi config set gcp:project PROJECT`, "
                "or give the resource its `project`"
            )

    def _settings(self, api: Api) -> Values:
        props = {n: p for n, p in self.properties.items() if not p.output}
        settings = {
            n: getattr(api.config, p.from_provider) for n, p in props.items() if p.from_provider
        }
        return settings | {
            n: p.default for n, p in props.items() if p.client and p.default is not None
        }

    def _explained(self, what: str, error: ApiError) -> StandInError:
        cure = ""
        twin = error.code == 409 and what.startswith("Error creating")
        if twin and self.importable and "role" not in self.properties:
            cure = (
                f"; if it is yours, adopt it with `pulumi import {self.pulumi_type} NAME ID`, "
                "else choose another name"
            )
        return StandInError(f"{what}: {error}{cure}")

    def _new_meta(self) -> str:
        if not self.timeouts:
            return ""
        nanoseconds = {
            name: minutes * 60 * 10**9 for name, minutes in sorted(self.timeouts.items())
        }
        return json.dumps({_TIMEOUTS_KEY: nanoseconds}, separators=(",", ":"))

    def _outputs(self, id_: str, state: Values, meta: str) -> Values:
        known = {name: state[name] for name in self.properties if state.get(name) is not None}
        return {"id": id_, **known, **({"__meta": meta} if meta else {})}

    def _inputs(self, outputs: Values, olds: Values) -> Values:
        """The inputs that would lead to these outputs; the program's own where they agree."""
        inputs: Values = {"__defaults": olds.get("__defaults", [])}
        for name, prop in self.properties.items():
            value, old = outputs.get(name), olds.get(name)
            if prop.output or (old is None and (is_zero(value) or (olds and prop.computed))):
                continue
            agrees = not compare({name: prop}, {name: value}, {name: old})
            if old is not None and agrees:
                inputs[name] = old
            elif value is not None:
                inputs[name] = value
        return inputs


def _labels_differ(planned: Values, state: Values) -> bool:
    # States of other providers' hands may lack the outputs; that alone is no reason for an update.
    if UNKNOWN in planned.values() or state.get("pulumiLabels") is None:
        return False
    return bool(planned["pulumiLabels"] != state["pulumiLabels"])
