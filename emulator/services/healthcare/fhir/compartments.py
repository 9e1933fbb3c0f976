"""Compartments: the patients and encounters that a resource is about.

Documented (http://hl7.org/fhir/R4/compartmentdefinition.html): a resource is in the compartment of
a patient or encounter that one of the definition's search parameters names, and each of these is in
its own.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from emulator.services.healthcare.fhir import definitions
from emulator.services.healthcare.fhir.references import Form, references

PATIENT, ENCOUNTER = "Patient", "Encounter"
_INDEX = re.compile(r"\[[^]]*\]")
_TYPED = re.compile(r":(\w)(\w*)")
_TARGET = re.compile(r">\w+")


def bases(resource: Mapping[str, Any], base: str) -> set[str]:
    """Return the ids of the patients or encounters whose compartments a resource is in.

    Args:
        resource: of the store
        base: `Patient` or `Encounter`
    """
    type_ = str(resource["resourceType"])
    wanted = inclusions(base).get(type_, frozenset())
    found = {
        reference.id
        for reference in (references(resource) if wanted else ())
        if reference.form is Form.LOCAL
        and reference.type == base
        and element_of(reference.path) in wanted
    }
    return found | ({str(resource["id"])} if type_ == base else set())


def has_type(type_: str) -> bool:
    """Whether resources of a type belong to a compartment of patients or of encounters."""
    return any(type_ == base or type_ in inclusions(base) for base in (PATIENT, ENCOUNTER))


@cache
def inclusions(base: str) -> Mapping[str, frozenset[str]]:
    """Return the elements that put a resource into a compartment, by resource type."""
    table = definitions.table()
    return {
        type_: frozenset(
            path
            for name in names.split()
            if name in table["search"].get(type_, {})
            for path in paths_of(table["search"][type_][name])
        )
        for type_, names in table["compartments"][base].items()
    }


def paths_of(parameter: str) -> Iterator[str]:
    """Yield the elements of a search parameter of the definitions, as they are in JSON."""
    for path in parameter.split(" ")[1].split("|"):
        plain = _TARGET.sub("", _INDEX.sub("", path))
        yield _TYPED.sub(lambda match: match[1].upper() + match[2], plain)


def element_of(path: str) -> str:
    """Return the element of a reference: `actor` of `Appointment.participant[0].actor`."""
    return _INDEX.sub("", path).partition(".")[2]
