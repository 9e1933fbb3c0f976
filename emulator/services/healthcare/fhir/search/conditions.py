"""SQL of the conditions of a query: which resources of the store match.

SQLite keeps no statistics here, so this module chooses the order: a search begins at the condition
with the fewest resources, and tests the others for each of them if these are few. The steps of
chains are queries with a name, since SQLite limits how deep queries nest.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Any, NamedTuple

from emulator.services.healthcare.fhir.search.criteria import (
    Criterion,
    SearchError,
    split,
    unescape,
)
from emulator.services.healthcare.fhir.search.index import TABLES, component_scope, scope
from emulator.services.healthcare.fhir.search.parameters import SearchParameter
from emulator.services.healthcare.fhir.search.value_tests import (
    TESTS,
    Sql,
    all_words,
    any_of,
    join,
    reference,
)

CodesOf = Callable[[str], Iterable[tuple[str, str]]]
"""Returns system and code of the codes in a value set; raises SearchError if there is none."""

FEW = 300
"""Resources up to which further conditions are tested one by one."""


class _Members(NamedTuple):
    """The resources that a criterion names.

    Attributes:
        rows: a query for their numbers
        is_negative: whether the others match
        test: whether a resource is one of them; empty where only the query can say it
    """

    rows: Sql
    is_negative: bool = False
    test: Sql = Sql("")


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of what searches may find.

    Attributes:
        before: the version from which on resources are not in the index yet; nothing for none
        visible: the condition on rows of `fhir_resources` that the client may read; nothing for all
    """

    before: int | None = None
    visible: Sql | None = None


NO_LIMITS = Limits()


class Conditions:
    """The conditions of searches in one store.

    Args:
        connection: to the index
        store: the full name
        codes_of: returns the codes of a value set
        limits: what searches may find
    """

    def __init__(
        self, connection: Connection, store: str, codes_of: CodesOf, limits: Limits = NO_LIMITS
    ) -> None:
        self._connection = connection
        self._store = store
        self._codes_of = codes_of
        self._limits = limits
        self._steps: list[Sql] = []

    def statement(self, text: str, *values: Any) -> list[Row]:
        """Return the rows of a statement with conditions that this object has made."""
        with_steps = "".join(f"{step.text}, " for step in self._steps)
        step_values = [value for step in self._steps for value in step.values]
        return self._connection.execute(
            f"WITH {with_steps}{text}", (*step_values, *values)
        ).fetchall()

    def types(self) -> list[str]:
        """Return the types of the resources in the store."""
        rows = self._connection.execute(
            "SELECT DISTINCT type FROM fhir_resources WHERE store = ? ORDER BY type", (self._store,)
        )
        return [row["type"] for row in rows]

    def of(self, resource_type: str, criteria: Sequence[Criterion]) -> Sql:
        """Return a condition on rows of `fhir_resources`: of a type, and by all criteria."""
        members = [self._members(resource_type, criterion) for criterion in criteria]
        positive = [one for one in members if not one.is_negative]
        counts = [self._count(one) if len(positive) > 1 else 0 for one in positive]
        parts = [Sql("store = ? AND type = ?", (self._store, resource_type))]
        if positive:
            first = counts.index(min(counts))
            # The unary plus keeps SQLite from the index by store and type.
            parts = [_in(positive.pop(first)), Sql("+store = ? AND +type = ?", parts[0].values)]
            is_few = counts.pop(first) < FEW
            parts += [one.test if is_few and one.test.text else _in(one) for one in positive]
        parts += [_in(one) for one in members if one.is_negative]
        if self._limits.before is not None:
            parts.append(Sql("version < ?", (self._limits.before,)))
        if self._limits.visible is not None:
            parts.append(self._limits.visible)
        return join(parts, " AND ")

    def _count(self, members: _Members) -> int:
        """Return the number of rows, as far as it matters; of a chain, which is costly, `FEW`."""
        if not members.test.text:
            return FEW
        rows = members.rows
        counted = self._connection.execute(
            f"SELECT count(*) FROM ({rows.text} LIMIT {FEW})",  # noqa: S608 - made of marks
            rows.values,
        )
        return int(counted.fetchone()[0])

    def _members(self, resource_type: str, criterion: Criterion) -> _Members:
        if criterion.has:
            return _Members(self._reverse_chain(criterion))
        if criterion.chain:
            return _Members(self._chain(resource_type, criterion))
        parameter = criterion.parameter
        is_negative = criterion.modifier in ("not", "not-in") or (
            criterion.modifier == "missing" and criterion.values[0] == "true"
        )
        if parameter.type != "composite":
            found = self._values(resource_type, parameter.code, parameter.type, criterion)
            return found._replace(is_negative=is_negative)
        if criterion.modifier == "missing":
            code = component_scope(parameter.code, 0)
            found = self._values(resource_type, code, parameter.components[0].type, criterion)
            return found._replace(is_negative=is_negative)
        return _Members(self._composite(resource_type, criterion))

    def _chain(self, resource_type: str, criterion: Criterion) -> Sql:
        number = scope(self._store, resource_type, criterion.parameter.code)
        parts = []
        for target, inner in criterion.chain:
            step = self._step(target, inner)
            parts.append(
                Sql(
                    "SELECT resource FROM fhir_index_references"  # noqa: S608 - made of marks
                    f" WHERE scope = ? AND type = ? AND id IN (SELECT id FROM {step})",
                    (number, target),
                )
            )
        return join(parts, " UNION ")

    def _step(self, resource_type: str, criterion: Criterion) -> str:
        """Return the name of the query for the resources of one step of a chain."""
        condition = self.of(resource_type, [criterion])
        name = f"step{len(self._steps)}"
        self._steps.append(
            Sql(
                f"{name} AS (SELECT number, id FROM fhir_resources WHERE {condition.text})",  # noqa: S608
                condition.values,
            )
        )
        return name

    def _reverse_chain(self, criterion: Criterion) -> Sql:
        [(resource_type, inner)] = criterion.chain
        step = self._step(criterion.source, inner)
        number = scope(self._store, criterion.source, criterion.parameter.code)
        return Sql(
            "SELECT number FROM fhir_resources WHERE store = ? AND type = ? AND id IN ("  # noqa: S608
            "SELECT id FROM fhir_index_references WHERE scope = ? AND type = ?"
            f" AND resource IN (SELECT number FROM {step}))",
            (self._store, resource_type, number, resource_type),
        )

    def _values(
        self, resource_type: str, code: str, of_type: str, criterion: Criterion
    ) -> _Members:
        """Return the resources with a value in a scope, or with one that matches."""
        table = TABLES[of_type].name
        number = scope(self._store, resource_type, code)
        condition = Sql("scope = ?", (number,))
        if criterion.modifier != "missing":
            test = self._test(of_type, criterion)
            condition = join([condition, Sql(f"({test.text})", test.values)], " AND ")
        return _Members(
            Sql(
                f"SELECT resource FROM {table} WHERE {condition.text}",  # noqa: S608
                condition.values,
            ),
            test=Sql(
                f"EXISTS (SELECT 1 FROM {table} INDEXED BY {table}_of"  # noqa: S608
                f" WHERE resource = number AND {condition.text})",
                condition.values,
            ),
        )

    def _test(self, of_type: str, criterion: Criterion) -> Sql:
        parameter, modifier = criterion.parameter, criterion.modifier
        if parameter.code in ("_content", "_text"):
            return all_words(criterion.values)
        return any_of(
            [self._test_one(parameter, of_type, modifier, one) for one in criterion.values]
        )

    def _test_one(self, parameter: SearchParameter, of_type: str, modifier: str, value: str) -> Sql:
        if modifier in ("in", "not-in"):
            codes = [*self._codes_of(unescape(value))]
            return any_of([Sql("system = ? AND code = ?", pair) for pair in codes])
        if of_type == "reference":
            return reference(parameter, value)
        return TESTS[of_type](value, modifier)

    def _composite(self, resource_type: str, criterion: Criterion) -> Sql:
        parameter = criterion.parameter
        alternatives = []
        for value in criterion.values:
            parts = split(value, "$")
            if len(parts) != len(parameter.components):
                raise SearchError(
                    f'invalid value for {parameter.code}: "{value}" does not have '
                    f"{len(parameter.components)} parts separated by $"
                )
            selects = []
            for index, part in enumerate(parts):
                code = component_scope(parameter.code, index)
                of_type = parameter.components[index].type
                inner = Criterion(parameter, values=[part])
                rows = self._values(resource_type, code, of_type, inner).rows
                with_item = rows.text.replace("SELECT resource", "SELECT resource, item", 1)
                selects.append(Sql(with_item, rows.values))
            both = join(selects, " INTERSECT ")
            alternatives.append(Sql(f"SELECT resource FROM ({both.text})", both.values))  # noqa: S608
        return join(alternatives, " UNION ")


def _in(members: _Members) -> Sql:
    word = "NOT IN" if members.is_negative else "IN"
    return Sql(f"number {word} ({members.rows.text})", members.rows.values)
