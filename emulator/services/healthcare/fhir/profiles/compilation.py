"""Compiles a StructureDefinition into a tree of rules.

A snapshot has all rules. Without one, the differential has those that the profile adds, and the
base profile is checked too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.services.healthcare.fhir.definitions import table
from emulator.services.healthcare.fhir.profiles.elements import (
    Discriminator,
    ElementRules,
    Invariant,
    Profile,
    Slicing,
    TypeRule,
)

CORE = "http://hl7.org/fhir/StructureDefinition/"
_BY_URL = Slicing((Discriminator("value", "url"),))
_BY_TYPE = Slicing((Discriminator("type", "$this"),))


def compile_profile(
    structure: Mapping[str, Any], base: Profile | None, *, is_documented_only: bool = False
) -> Profile:
    """Return the rules of a StructureDefinition.

    Args:
        structure: the resource
        base: the profile of its baseDefinition, if the store has it
        is_documented_only: whether only the rules count that the API's reference lists
    """
    snapshot = structure.get("snapshot", {}).get("element")
    elements = snapshot or structure.get("differential", {}).get("element", [])
    root = _tree(structure, elements)
    if base is not None and not snapshot:
        _inherit(root, base.root)
    if is_documented_only:
        _leave_documented(root)
    url = str(structure["url"])
    own_base = "" if snapshot or base is None else base.url
    return Profile(url, str(structure.get("type", "")), root, own_base)


def _tree(structure: Mapping[str, Any], elements: list[Mapping[str, Any]]) -> ElementRules:
    type_ = str(structure.get("type", ""))
    latest = {type_: ElementRules(type_, type_)}
    for element in elements:
        path = str(element.get("path", type_))
        if "." not in path:
            latest[path] = latest[type_] = _rules(element, path)
            continue
        rules = _rules(element, path.rpartition(".")[2])
        _attach(latest, path, rules)
        latest[path] = rules
    return latest[type_]


def _attach(latest: dict[str, ElementRules], path: str, rules: ElementRules) -> None:
    """Put the rules of an element into the tree, with the parents that a differential leaves out.

    Args:
        latest: the rules of the last element with each path, which gets the parents too
        path: of the element
        rules: of the element
    """
    parent_path, _, name = path.rpartition(".")
    if parent_path not in latest:
        parent = ElementRules(parent_path, parent_path.rpartition(".")[2])
        _attach(latest, parent_path, parent)
        latest[parent_path] = parent
    parent = latest[parent_path]
    own_id = f"{parent.id}.{name}"
    if not rules.slice_name:
        rules.id = own_id
        parent.children[name] = rules
        return
    rules.id = f"{own_id}:{rules.slice_name}"
    owner = parent.children.setdefault(name, ElementRules(own_id, name))
    outer = rules.slice_name.rpartition("/")[0]
    owner = next((one for one in owner.slices if one.slice_name == outer), owner)
    owner.slices.append(rules)
    if owner.slicing is None:
        owner.slicing = _BY_URL if "xtension" in name else _BY_TYPE if owner.is_choice else None


def _rules(element: Mapping[str, Any], name: str) -> ElementRules:
    binding = element.get("binding", {})
    maximum = element.get("max", "*")
    return ElementRules(
        id=name,
        name=name,
        slice_name=element.get("sliceName", ""),
        minimum=element.get("min", 0),
        maximum=int(maximum) if maximum.isdigit() else None,
        types=tuple(_types(element)),
        fixed=_member(element, "fixed"),
        pattern=_member(element, "pattern"),
        binding=binding.get("valueSet", "") if binding.get("strength") == "required" else "",
        least=_member(element, "minValue"),
        largest=_member(element, "maxValue"),
        max_length=element.get("maxLength"),
        invariants=tuple(_invariants(element)),
        same_as=element.get("contentReference", "").partition("#")[2],
        slicing=_slicing(element.get("slicing")),
    )


def _member(element: Mapping[str, Any], name: str) -> Any:
    """Return the value of a choice such as `fixedCode`, or None."""
    keys = (key for key in element if key.startswith(name) and key[len(name) :][:1].isupper())
    return next((element[key] for key in keys), None)


def _types(element: Mapping[str, Any]) -> Iterator[TypeRule]:
    for one in element.get("type", ()):
        code = str(one.get("code", ""))
        yield TypeRule(
            code=code if "/" not in code else "",
            profiles=tuple(one.get("profile", ())),
            targets=tuple(one.get("targetProfile", ())),
        )


def _invariants(element: Mapping[str, Any]) -> Iterator[Invariant]:
    """Yield the constraints of profiles: the walk by R4's definitions checks those of R4."""
    for one in element.get("constraint", ()):
        is_own = str(one.get("source", "")).removeprefix(CORE) not in table()["types"]
        if one.get("severity") == "error" and one.get("expression") and is_own:
            yield Invariant(one.get("key", ""), one["expression"])


def _slicing(slicing: Mapping[str, Any] | None) -> Slicing | None:
    if slicing is None or not slicing.get("discriminator"):
        return None
    return Slicing(
        discriminators=tuple(
            Discriminator(one.get("type", ""), one.get("path", ""))
            for one in slicing["discriminator"]
        ),
        is_ordered=bool(slicing.get("ordered")),
        rules=slicing.get("rules", "open"),
    )


def _inherit(rules: ElementRules, base: ElementRules) -> None:
    """Note what a differential leaves out because the base profile has it."""
    rules.inherited = base
    if rules.slicing is None:
        rules.slicing = base.slicing
    if not rules.types:
        rules.types = tuple(replace(one, profiles=()) for one in base.types)
    for name, child in rules.children.items():
        if name in base.children:
            _inherit(child, base.children[name])
    by_name = {one.slice_name: one for one in base.slices}
    for one in rules.slices:
        _inherit(one, by_name.get(one.slice_name, base))


def _leave_documented(rules: ElementRules) -> None:
    """Drop the rules that the API's reference does not list (documented: `ValidationConfig`)."""
    rules.binding = ""
    if isinstance(rules.pattern, dict):
        rules.pattern = None
    if rules.slicing and any(one.type != "value" for one in rules.slicing.discriminators):
        rules.slicing = None
    for child in (*rules.children.values(), *rules.slices):
        _leave_documented(child)
