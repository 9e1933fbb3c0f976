"""Resource types: their properties, and the operations that all of them share.

A type adds its quirks and its `CrudOperations`, the calls that create, read, update and delete.
Most types use those of `rest.py`. The properties come from the copy of the provider's schema.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.standin import labels
from engine.standin.checking import check
from engine.standin.diff import Change, Difference, compare
from engine.standin.errors import ApiError, PartialError, StandInError, VanishedError
from engine.standin.http import Api
from engine.standin.outputs import without_zeros
from engine.standin.properties import Failure, Naming, Properties
from engine.standin.values import UNKNOWN, Values, is_zero, without_internal

_TIMEOUTS_KEY = (
    "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"  # the bridge's own name for timeouts in `__meta`
)


class CrudOperations(Protocol):
    """The calls of a resource type."""

    @property
    def service(self) -> str:
        """The Google service that is called, a key of `config.SERVICES`."""

    def create(self, type_: "ResourceType", wanted: Values, api: Api) -> str:
        """Create a resource; return its id."""

    def read(self, type_: "ResourceType", id_: str, known: Values, api: Api) -> Values | None:
        """Return the outputs; None if the resource does not exist."""

    def update(self, type_: "ResourceType", id_: str, change: "Update", api: Api) -> None:
        """Change a resource in place."""

    def delete(self, type_: "ResourceType", id_: str, state: Values, api: Api) -> None:
        """Delete a resource, unless it is deleted already."""

    def parse_import_id(self, type_: "ResourceType", id_: str, api: Api) -> tuple[str, Values]:
        """Return the full id that an id of `pulumi import` stands for, and the properties in it."""


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


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """A resource type.

    Attributes:
        pulumi_type: the type token
        title: its name in the provider's errors
        properties: in the order of the provider's update masks
        operations: the calls
        timeouts: defaults in minutes, as the real plugin records them in the state
        uncovered: inputs of the real plugin that the stand-in does not support
        importable: whether `pulumi import` supports the type
        bare_errors: whether the provider returns the API's errors as they are (observed)
    """

    pulumi_type: str
    title: str
    properties: Properties
    operations: CrudOperations
    timeouts: Mapping[str, int] = field(default_factory=dict)
    uncovered: tuple[str, ...] = ()
    importable: bool = True
    bare_errors: bool = False

    @property
    def labelled(self) -> bool:
        """Whether resources of the type have labels."""
        return "effectiveLabels" in self.properties

    def check(self, news: Values, olds: Values, naming: Naming) -> tuple[Values, list[Failure]]:
        """Check inputs and add defaults."""
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
        """Compare the state with the inputs."""
        wanted = self.wanted(news, api)
        old = dict(state)
        if "deletionPolicy" in self.properties and not old.get("deletionPolicy"):
            old["deletionPolicy"] = wanted["deletionPolicy"]  # states older than the property
        changes = compare(self.properties, old, wanted)
        if self.labelled:
            planned = labels.planned(api.config, wanted, state)
            changes += [
                Change(name, "update", self.properties[name].replace)
                for name in labels.differing(planned, state)
            ]
        # Two resources of one name cannot be: unless the name changes too, the old one goes first.
        replaced = {change.top for change in changes if change.replace}
        names = ("name", "tableId", "datasetId", "secretId", "accountId")
        named = next(
            (
                name
                for name in names
                if name in self.properties and not self.properties[name].output
            ),
            None,
        )
        made_up = named in news.get("__defaults", ())
        return Difference(
            changes, bool(replaced and named in news and named not in replaced and not made_up)
        )

    def wanted(self, news: Values, api: Api) -> Values:
        """Return inputs with the provider's settings in the place of what the program left out."""
        wanted = without_internal(news)
        for name, prop in self.properties.items():
            if prop.from_provider and name not in wanted:
                setting = getattr(api.config, prop.from_provider)
                wanted[name] = UNKNOWN if setting is None else setting
        return {name: value for name, value in wanted.items() if value != ""}

    def preview(self, news: Values, state: Values | None, api: Api) -> Values:
        """Return the outputs as far as they are known before the update."""
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
        """Create a resource and read it.

        Raises:
            PartialError: it was created, but can't be read
            VanishedError: it was created, but is not found
        """
        wanted = self._plan_inputs(news, None, api)
        try:
            id_ = self.operations.create(self, wanted, api)
        except ApiError as error:
            raise self._explain(f"Error creating {self.title}", error) from error
        try:
            state = self.operations.read(self, id_, wanted, api)
        except StandInError as error:
            raise PartialError(
                f"{self.title} {id_} was created, but: {error}", id_, wanted
            ) from error
        if state is None:
            raise VanishedError(f"{self.title} {id_} was created, but can't be found")
        return id_, self._outputs(id_, state, self._new_meta())

    def read(
        self, id_: str, state: Values, inputs: Values, api: Api
    ) -> tuple[str, Values, Values] | None:
        """Read the resource, for a refresh or, when the state is empty, for an import.

        Returns:
            Id, outputs and inputs; None when it is gone.
        """
        known = without_internal(state)
        if any((p.required or p.autoname) and n not in known for n, p in self.properties.items()):
            if not self.importable:
                raise StandInError(
                    f"{self.pulumi_type} cannot be imported: the API has no way to read one"
                )
            id_, known = self.operations.parse_import_id(self, id_, api)
            known = {**self._settings(api), **known}
        found = self.operations.read(self, id_, known, api)
        if found is None:
            return None
        meta = state.get("__meta") or self._new_meta()
        outputs = self._outputs(id_, found, meta)
        return id_, outputs, self._inputs(outputs, inputs)

    def update(self, id_: str, state: Values, news: Values, timeout: float, api: Api) -> Values:
        """Change a resource in place and read it."""
        wanted = self._plan_inputs(news, state, api)
        changed = {change.top for change in compare(self.properties, state, wanted)}
        if self.labelled and wanted["effectiveLabels"] != (state.get("effectiveLabels") or {}):
            changed.add("labels")
        else:
            changed.discard("labels")
        try:
            self.operations.update(
                self, id_, Update(state, wanted, frozenset(changed), timeout), api
            )
        except ApiError as error:
            raise self._explain(f'Error updating {self.title} "{id_}"', error) from error
        found = self.operations.read(self, id_, {**self._filled(state), **wanted}, api)
        if found is None:
            raise StandInError(
                f"{self.title} {id_} is gone: run `pulumi refresh`, then `pulumi up` makes it again"
            )
        return self._outputs(id_, found, state.get("__meta") or self._new_meta())

    def delete(self, id_: str, state: Values, api: Api) -> None:
        """Delete a resource, unless its deletion policy forbids it."""
        policy = state.get("deletionPolicy")
        if policy == "PREVENT":
            raise StandInError(
                f'cannot destroy {self.title} "{id_}": its deletionPolicy is "PREVENT"; '
                'set it to "DELETE", run `pulumi up`, then try again'
            )
        if policy == "ABANDON":
            return
        try:
            self.operations.delete(self, id_, state, api)
        except ApiError as error:
            if error.code != 404:
                raise self._explain(f'Error deleting {self.title} "{id_}"', error) from error

    def _plan_inputs(self, news: Values, state: Values | None, api: Api) -> Values:
        wanted = self.wanted(news, api)
        self._require_project(wanted)
        return {**wanted, **labels.planned(api.config, wanted, state)} if self.labelled else wanted

    def _filled(self, state: Values) -> Values:
        """Return what the cloud or the provider filled in, without the program's earlier inputs."""
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

    def _explain(self, what: str, error: ApiError) -> StandInError:
        if self.bare_errors:
            return StandInError(str(error))
        return StandInError(f"{what}: {error}")

    def _new_meta(self) -> str:
        if not self.timeouts:
            return ""
        nanoseconds = {
            name: minutes * 60 * 10**9 for name, minutes in sorted(self.timeouts.items())
        }
        return json.dumps({_TIMEOUTS_KEY: nanoseconds}, separators=(",", ":"))

    def _outputs(self, id_: str, state: Values, meta: str) -> Values:
        known = {name: state.get(name) for name in self.properties}
        return {"id": id_, **known, **({"__meta": meta} if meta else {})}

    def _inputs(self, outputs: Values, olds: Values) -> Values:
        """Return the inputs that lead to these outputs; the program's own where they agree."""
        inputs: Values = {"__defaults": olds.get("__defaults", [])}
        for name, prop in self.properties.items():
            value, old = outputs.get(name), olds.get(name)
            if prop.output or (old is None and (is_zero(value) or (olds and prop.computed))):
                continue
            agrees = not compare({name: prop}, {name: value}, {name: old})
            if old is not None and agrees:
                inputs[name] = old
            elif value is not None:
                inputs[name] = without_zeros(prop, value)
        return inputs
