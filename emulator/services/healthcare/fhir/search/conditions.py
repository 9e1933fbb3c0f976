"""SQL of the conditions of a query: each one selects the numbers of resources in the index."""

from collections.abc import Callable, Iterable
from sqlite3 import Connection

from emulator.services.healthcare.fhir.search.criteria import (
    Criterion,
    SearchError,
    split,
    unescape,
)
from emulator.services.healthcare.fhir.search.index import TABLES, component_scope, find_scope
from emulator.services.healthcare.fhir.search.parameters import SearchParameter
from emulator.services.healthcare.fhir.search.value_tests import (
    TESTS,
    Sql,
    all_words,
    join,
    reference,
)

CodesOf = Callable[[str], Iterable[tuple[str, str]]]
"""Returns system and code of the codes in a value set; raises SearchError if there is none."""


class Conditions:
    """The conditions of searches in one store.

    Args:
        connection: to read the scopes
        store: the full name
        codes_of: returns the codes of a value set
    """

    def __init__(self, connection: Connection, store: str, codes_of: CodesOf) -> None:
        self._connection = connection
        self._store = store
        self._codes_of = codes_of

    def scope(self, resource_type: str, parameter: str) -> int:
        """Return the number of a scope; -1 if it has no value."""
        return find_scope(self._connection, self._store, resource_type, parameter)

    def types(self) -> list[str]:
        """Return the types of the resources in the store."""
        rows = self._connection.execute(
            "SELECT DISTINCT type FROM fhir_resources WHERE store = ? ORDER BY type", (self._store,)
        )
        return [row["type"] for row in rows]

    def of(self, resource_type: str, criterion: Criterion) -> Sql:
        """Return a condition on `number` of the index's table of resources."""
        if criterion.has:
            return self._reverse_chain(criterion)
        if criterion.chain:
            return self._chain(resource_type, criterion)
        parameter = criterion.parameter
        if parameter.type == "composite":
            rows = self._composite(resource_type, criterion)
        else:
            rows = self._rows(resource_type, criterion)
        is_negative = criterion.modifier in ("not", "not-in") or (
            criterion.modifier == "missing" and criterion.values[0] == "true"
        )
        return Sql(f"number {'NOT ' * is_negative}IN ({rows.text})", rows.values)

    def _chain(self, resource_type: str, criterion: Criterion) -> Sql:
        scope = self.scope(resource_type, criterion.parameter.code)
        parts = []
        for target, inner in criterion.chain:
            condition = self.of(target, inner)
            parts.append(
                Sql(
                    "SELECT f.resource FROM fhir_index_references f"  # noqa: S608 - made of marks
                    " WHERE f.scope = ? AND f.type = ?"
                    " AND f.id IN (SELECT id FROM fhir_resources WHERE store = ? AND type = ?"
                    f" AND {condition.text})",
                    (scope, target, self._store, target, *condition.values),
                )
            )
        rows = join(parts, " UNION ")
        return Sql(f"number IN ({rows.text})", rows.values)

    def _reverse_chain(self, criterion: Criterion) -> Sql:
        [(resource_type, inner)] = criterion.chain
        condition = self.of(criterion.source, inner)
        scope = self.scope(criterion.source, criterion.parameter.code)
        return Sql(
            "id IN (SELECT f.id FROM fhir_index_references f"  # noqa: S608 - made of marks
            " WHERE f.scope = ? AND f.type = ?"
            " AND f.resource IN (SELECT number FROM fhir_resources WHERE store = ? AND type = ?"
            f" AND {condition.text}))",
            (scope, resource_type, self._store, criterion.source, *condition.values),
        )

    def _rows(self, resource_type: str, criterion: Criterion) -> Sql:
        parameter = criterion.parameter
        scope = self.scope(resource_type, parameter.code)
        return self._select(parameter, parameter.type, scope, criterion)

    def _select(
        self, parameter: SearchParameter, of_type: str, scope: int, criterion: Criterion
    ) -> Sql:
        name = TABLES[of_type].name
        rows = Sql(f"SELECT resource FROM {name} WHERE scope = ?", (scope,))  # noqa: S608
        if criterion.modifier == "missing":
            return rows
        if parameter.code in ("_content", "_text"):
            test = all_words(criterion.values)
        else:
            test = join(
                [
                    self._test(parameter, of_type, criterion.modifier, value)
                    for value in criterion.values
                ],
                " OR ",
            )
        return Sql(f"{rows.text} AND ({test.text})", (*rows.values, *test.values))

    def _test(self, parameter: SearchParameter, of_type: str, modifier: str, value: str) -> Sql:
        if modifier in ("in", "not-in"):
            codes = [*self._codes_of(unescape(value))]
            pairs = [Sql("(system = ? AND code = ?)", pair) for pair in codes]
            return join(pairs, " OR ") if pairs else Sql("0")
        if of_type == "reference":
            return reference(parameter, value)
        return TESTS[of_type](value, modifier)

    def _composite(self, resource_type: str, criterion: Criterion) -> Sql:
        parameter = criterion.parameter
        if criterion.modifier == "missing":
            first = parameter.components[0].type
            scope = self.scope(resource_type, component_scope(parameter.code, 0))
            return Sql(
                f"SELECT resource FROM {TABLES[first].name} WHERE scope = ?",  # noqa: S608
                (scope,),
            )
        alternatives = []
        for value in criterion.values:
            parts = split(value, "$")
            if len(parts) != len(parameter.components):
                raise SearchError(
                    f'invalid value for {parameter.code}: "{value}" does not have '
                    f"{len(parameter.components)} parts separated by $"
                )
            selects = []
            for number, (component, part) in enumerate(
                zip(parameter.components, parts, strict=True)
            ):
                scope = self.scope(resource_type, component_scope(parameter.code, number))
                inner = Criterion(parameter, values=[part])
                rows = self._select(parameter, component.type, scope, inner)
                selects.append(
                    Sql(
                        rows.text.replace("SELECT resource", "SELECT resource, item", 1),
                        rows.values,
                    )
                )
            both = join(selects, " INTERSECT ")
            alternatives.append(Sql(f"SELECT resource FROM ({both.text})", both.values))  # noqa: S608
        return join(alternatives, " UNION ")
