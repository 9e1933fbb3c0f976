from collections.abc import Mapping, Sequence
from time import thread_time
from typing import Any

import pytest

from emulator.core.errors import ApiError
from emulator.core.list_filter.fields import (
    Boolean,
    Enumeration,
    Label,
    Text,
    Timestamp,
    Value,
)
from emulator.core.list_filter.grammar import AND, NOT, OR, SEQUENCE
from emulator.core.list_filter.table import BareTerm, FieldTable, Filter

FAILURE: dict[str, Any] = {
    "logName": "projects/p/logs/healthcare",
    "severity": "ERROR",
    "timestamp": "2026-05-01T10:00:00.500Z",
    "resource": {"type": "healthcare_dicom_store", "labels": {"dataset_id": "d"}},
    "labels": {"example.com/team": "ward"},
    "jsonPayload": {"error": {"code": 3, "message": "Not a DICOM file"}, "tags": ["import", "ct"]},
}
AUDIT: dict[str, Any] = {
    "logName": "projects/p/logs/audit",
    "severity": "NOTICE",
    "timestamp": "2026-05-02T00:00:00Z",
    "resource": {"type": "audited_resource", "labels": {"method": "Search"}},
    "jsonPayload": {"error": None, "granted": True},
}


def _log_id(arguments: Sequence[str]) -> Filter:
    if len(arguments) != 1:
        raise ValueError("it takes one name of a log")

    def passes(entry: Mapping[str, Any]) -> bool:
        return bool(entry["logName"].endswith(f"/logs/{arguments[0]}"))

    return passes


ENTRIES = FieldTable(
    usage="fields are those of an entry",
    fields={
        "logName": Text(ignore_case=True),
        "severity": Enumeration(("DEFAULT", "NOTICE", "ERROR")),
        "timestamp": Timestamp(),
        "resource.type": Text(ignore_case=True),
        "resource.labels.*": Text(ignore_case=True),
        "labels.*": Label(),
        "jsonPayload.granted": Boolean(),
        "jsonPayload.error.message": Text(ignore_case=True),
        "jsonPayload.**": Value(),
    },
    connectives=frozenset({AND, OR, NOT, SEQUENCE}),
    bare=BareTerm.SEARCH,
    functions={"log_id": _log_id},
)
PLAIN = FieldTable(
    usage="labels.KEY or state",
    fields={"labels.*": Label(), "state": Text()},
    bare=BareTerm.PRESENT,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [FAILURE, AUDIT]),
        ("  ", [FAILURE, AUDIT]),
        # Names compare by their order, texts without regard to capitals.
        ("severity>=ERROR", [FAILURE]),
        ("severity<ERROR", [AUDIT]),
        ("severity!=NOTICE", [FAILURE]),
        ("severity:NOTICE", [AUDIT]),
        ('logName="PROJECTS/P/LOGS/AUDIT"', [AUDIT]),
        ("resource.type:DICOM", [FAILURE]),
        ("resource.labels.dataset_id:*", [FAILURE]),
        ("resource.labels.method>R", [AUDIT]),
        # A name with other characters is quoted.
        ('labels."example.com/team"=ward', [FAILURE]),
        ('labels."example.com/team"=war', []),
        ('timestamp>="2026-05-02"', [AUDIT]),
        ('timestamp<"2026-05-01T12:00:00.600+02:00"', [FAILURE]),
        ('timestamp!="2026-05-02T02:00:00+02:00"', [FAILURE]),
        ('jsonPayload.error.message=~"DICOM f.le$"', [FAILURE]),
        ('jsonPayload.error.message!~"^Not"', [AUDIT]),
        ("jsonPayload.error.code=3", [FAILURE]),
        ("jsonPayload.tags=ct", [FAILURE]),
        ("jsonPayload.tags:impo", [FAILURE]),
        ("jsonPayload.error:*", [FAILURE]),
        ("jsonPayload.granted=false", [FAILURE]),
        ("jsonPayload.granted!=false", [AUDIT]),
        # Terms side by side are joined by AND.
        ("severity=ERROR resource.type:dicom", [FAILURE]),
        ("severity=ERROR resource.type:audited", []),
        ("severity=ERROR\n  OR resource.type:audited AND dicom", [FAILURE]),
        ("severity=(NOTICE OR ERROR) -severity=NOTICE", [FAILURE]),
        ("resource.type=(audited_resource OR NOT x)", [FAILURE, AUDIT]),
        ("resource.type:(resource AND audited)", [AUDIT]),
        # Without an operator, any field may hold the text.
        ('"a dicom file"', [FAILURE]),
        ("NOT dicom", [AUDIT]),
        ("ward", [FAILURE]),
        ('log_id("audit")', [AUDIT]),
        ("NOT log_id(audit) AND severity=ERROR", [FAILURE]),
    ],
)
def test_filters_of_entries(text: str, found: list[dict[str, Any]]) -> None:
    passes = ENTRIES.compile(text)
    assert [each for each in (FAILURE, AUDIT) if passes(each)] == found


@pytest.mark.parametrize(
    ("table", "text", "reason"),
    [
        (ENTRIES, "severity>LOUD", "at 'LOUD'; severity is compared with one of DEFAULT, NOTICE,"),
        (ENTRIES, "timestamp>today x", "at 'today x'; timestamp is compared with a timestamp"),
        (ENTRIES, "jsonPayload.granted=1", "at '1'; jsonPayload.granted is compared with true or"),
        (ENTRIES, "jsonPayload.a=~1", "the operators of jsonPayload.a are != : < <= = > >="),
        (ENTRIES, 'logName=~"("', "logName is compared with a valid regular expression"),
        (ENTRIES, "log_id()", "at 'log_id()'; log_id: it takes one name of a log; fields are"),
        (ENTRIES, "ward AND nothing(1)", "at 'nothing(1)'; fields are those of an entry"),
        (ENTRIES, "labels=x", "at 'labels=x'"),
        (ENTRIES, "severity=(ERROR OR)", "at ')'"),
        (ENTRIES, "severity=()", "at ')'"),
        (ENTRIES, "()", "at ')'"),
        (ENTRIES, "a OR AND", "at 'AND'"),
        (ENTRIES, 'ward "open', "at '\"open'"),
        (PLAIN, "team", "at 'team'; labels.KEY or state"),
        (PLAIN, "labels.a labels.b", "at 'labels.b'"),
        (PLAIN, "labels.a!=b", "the operators of labels.a are : ="),
    ],
)
def test_an_error_names_the_culprit(table: FieldTable, text: str, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        table.compile(text)
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert caught.value.message.startswith(f"invalid filter {text!r}: ")
    assert reason in caught.value.message


def test_a_term_without_operator_can_mean_presence() -> None:
    passes = PLAIN.compile("labels.a AND NOT labels.b")
    assert passes({"labels": {"a": ""}})
    assert not passes({"labels": {"a": "", "b": ""}})


def test_an_error_quotes_the_beginning_of_a_long_filter() -> None:
    with pytest.raises(ApiError) as caught:
        PLAIN.compile("x" * 10_000)
    assert len(caught.value.message) < 500
    with pytest.raises(ApiError, match="longer than 20000 characters"):
        ENTRIES.compile("x" * 20_001)


@pytest.mark.parametrize("text", ["{0}a{1}", "{0}a AND a{1}", "{0}NOT a{1} OR a"])
def test_nesting_takes_no_time(text: str) -> None:
    begin = thread_time()
    passes = ENTRIES.compile(text.format("(" * 20, ")" * 20))
    assert thread_time() - begin < 1
    assert isinstance(passes(AUDIT), bool)


def test_many_wildcards_take_no_time() -> None:
    passes = ENTRIES.compile("jsonPayload.text=" + "*a" * 200)
    begin = thread_time()
    assert passes({"jsonPayload": {"text": "a" * 300}})
    assert not passes({"jsonPayload": {"text": "a" * 150 + "b"}})
    assert thread_time() - begin < 1


@pytest.mark.parametrize("wanted", ["a*c", "*b*", "abc*", "*abc", "a*", "*", "a*b*c"])
def test_a_wildcard_matches_any_text(wanted: str) -> None:
    passes = ENTRIES.compile(f"jsonPayload.text={wanted}")
    assert passes({"jsonPayload": {"text": "abc"}})
    assert not passes({"jsonPayload": {"text": "xcx"}}) or wanted == "*"
    assert not passes({"jsonPayload": {}})
