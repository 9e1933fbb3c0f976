"""Rules for DICOM files: which attributes are fixed or make a file a dead letter, from YAML.

`default_rules.yaml` shows and explains all of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydicom.datadict import tag_for_keyword
from pydicom.uid import UID

MAX_BYTES = 1 << 30
"""Of a file by default: a worker holds it in memory."""
_TOP = frozenset({"max_bytes", "sop_classes", "transfer_syntaxes", "rules"})
_CONDITIONS = frozenset({"always", "invalid_uid", "longer_than", "matching", "missing"}) | {
    "not_in",
    "not_matching",
}
_ACTIONS = frozenset({"reject", "remove", "replace", "set", "strip", "truncate"})
_NUMBERS, _LISTS = frozenset({"longer_than", "truncate"}), frozenset({"not_in"})
_TEXTS = frozenset({"matching", "not_matching", "set"})


class RulesError(Exception):
    """Rules that are not valid, in a sentence for people."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: for reports
        attribute: the keyword of an attribute at the top level of the data set
        condition: the name of the condition
        limit: its value
        action: the name of what is done
        value: of the action
    """

    name: str
    attribute: str
    condition: str
    limit: Any
    action: str
    value: Any = None

    def applies(self, text: str | None) -> bool:
        """Whether the condition holds.

        Args:
            text: the value of the attribute; several joined by backslashes; None if there is none
        """
        values = text.split("\\") if text else []
        match self.condition:
            case "missing":
                return not text
            case "longer_than":
                return any(len(one) > self.limit for one in values)
            case "matching":
                return any(re.fullmatch(self.limit, one) for one in values)
            case "not_matching":
                return not all(re.fullmatch(self.limit, one) for one in values)
            case "not_in":
                return not set(values) <= set(self.limit)
            case "invalid_uid":
                return not all(UID(one).is_valid for one in values)
        return text is not None

    def fixed(self, text: str | None) -> str | None:
        """Return the value after the action; None removes the attribute."""
        match self.action:
            case "set":
                return str(self.value)
            case "remove":
                return None
        return "\\".join(map(self._fixed_one, (text or "").split("\\")))

    def _fixed_one(self, text: str) -> str:
        match self.action:
            case "strip":
                return text.strip(" \0")
            case "truncate":
                return text[: self.value]
        return re.sub(self.value["pattern"], self.value["by"], text)


@dataclass(frozen=True)
class Rules:
    """All rules of an ingest.

    Attributes:
        rules: applied in their order
        max_bytes: of a file
        sop_classes: UIDs that are accepted; empty for all
        transfer_syntaxes: UIDs that are accepted; empty for all
    """

    rules: Sequence[Rule] = ()
    max_bytes: int = MAX_BYTES
    sop_classes: frozenset[str] = field(default_factory=frozenset)
    transfer_syntaxes: frozenset[str] = field(default_factory=frozenset)


def parse(text: str) -> Rules:
    """Read rules.

    Args:
        text: YAML

    Raises:
        RulesError: names the rule and what is wrong in it
    """
    try:
        given = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise RulesError(f"The rules are not valid YAML: {error}") from error
    if not isinstance(given, dict):
        raise RulesError("The rules are not valid: the file holds no mapping.")
    _known(given, _TOP, "the rules")
    size = given.get("max_bytes", MAX_BYTES)
    if not isinstance(size, int) or size < 1:
        raise RulesError(f"max_bytes: {size!r} is not a valid number of bytes.")
    return Rules(
        [_rule(one, number) for number, one in enumerate(given.get("rules") or [], 1)],
        size,
        _uids(given, "sop_classes"),
        _uids(given, "transfer_syntaxes"),
    )


def _rule(given: Any, number: int) -> Rule:
    where = f"rule {number}"
    if not isinstance(given, dict):
        raise RulesError(f"{where} is not valid: write a mapping with name and attribute.")
    where = f"rule {number} ({given.get('name', 'without a name')})"
    _known(given, {"name", "attribute", "when"} | _ACTIONS, where)
    name, attribute = given.get("name"), given.get("attribute")
    if not name or not isinstance(name, str):
        raise RulesError(f"{where} has no name: reports show it.")
    if not isinstance(attribute, str) or tag_for_keyword(attribute) is None:
        raise RulesError(
            f"{where}: {attribute!r} is not a keyword of DICOM: write one such as PatientID."
        )
    condition, limit = _one(given.get("when"), _CONDITIONS, f"{where}: when")
    actions = {key: given[key] for key in given if key in _ACTIONS}
    action, value = _one(actions, _ACTIONS, where)
    for keyword, content in ((condition, limit), (action, value)):
        _check(keyword, content, where)
    return Rule(name, attribute, condition, limit, action, value)


def _one(given: Any, known: frozenset[str], where: str) -> tuple[str, Any]:
    """Return the name and the value of what is given: a word, or a mapping with one key."""
    pairs = {given: True} if isinstance(given, str) else given
    if not isinstance(pairs, Mapping) or len(pairs) != 1 or not pairs.keys() <= known:
        raise RulesError(f"{where} needs exactly one of {', '.join(sorted(known))}.")
    return next(iter(pairs.items()))


def _check(keyword: str, content: Any, where: str) -> None:
    """Refuse a value of a condition or an action that is not one of its type."""
    good = {
        **dict.fromkeys(_NUMBERS, isinstance(content, int) and content > 0),
        **dict.fromkeys(_LISTS, isinstance(content, list)),
        **dict.fromkeys(_TEXTS, isinstance(content, str)),
        "replace": isinstance(content, dict) and content.keys() == {"pattern", "by"},
    }.get(keyword, content is True)
    if not good:
        raise RulesError(f"{where}: {content!r} is not a valid value of {keyword}.")
    pattern = content["pattern"] if keyword == "replace" else content
    if keyword in ("matching", "not_matching", "replace"):
        try:
            re.compile(pattern)
        except re.error as error:
            raise RulesError(f"{where}: {pattern!r} is not a valid pattern: {error}.") from error


def _uids(given: Mapping[str, Any], key: str) -> frozenset[str]:
    uids = given.get(key) or []
    wrong = [one for one in uids if not isinstance(one, str) or not UID(one).is_valid]
    if wrong:
        raise RulesError(f"{key}: {wrong[0]!r} is not a valid UID.")
    return frozenset(uids)


def _known(given: Mapping[str, Any], known: set[str] | frozenset[str], where: str) -> None:
    if unknown := sorted(map(str, given.keys() - known)):
        names = ", ".join(sorted(known))
        raise RulesError(f"{where}: {unknown[0]!r} is unknown. Known are {names}.")
