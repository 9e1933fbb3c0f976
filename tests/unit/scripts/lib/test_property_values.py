"""Paths, and what of a value may be printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.lib.property_values import (
    Json,
    Path,
    Special,
    Value,
    clean,
    format_path,
    leaves,
    lookup,
    parse_path,
    show,
)
from scripts.preview.messages import tidy

SIGNATURE = "4dabf18193072939515e22adb298388d"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("labels.env", ("labels", "env")),
        ("notificationConfigs[0].pubsubTopic", ("notificationConfigs", 0, "pubsubTopic")),
        ('labels["a.b"]', ("labels", "a.b")),
        ('labels["a\\"b"].c[12]', ("labels", 'a"b', "c", 12)),
        ("name", ("name",)),
    ],
)
def test_paths_are_read_as_pulumi_writes_them(text: str, path: Path) -> None:
    assert parse_path(text) == path
    assert format_path(path) == text


@given(st.lists(st.text("ab.[]\"_'", min_size=1) | st.integers(0, 99), min_size=1))
def test_paths_survive_a_round_trip(path: list[str | int]) -> None:
    if isinstance(path[0], str):
        assert parse_path(format_path(tuple(path))) == tuple(path)


def test_secrets_unknowns_and_files_lose_their_content() -> None:
    secret: Json = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}
    assert clean(secret) is Special.SECRET
    assert clean({SIGNATURE: "a kind of the future", "value": "hunter2"}) is Special.SECRET
    assert clean("[secret]") is Special.SECRET
    assert clean('{"password": "[secret]"}') is Special.SECRET
    assert clean("04da6b54-80e4-46f7-96ec-b56ff0331ba9") is Special.UNKNOWN
    assert clean({SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "x"}) is Special.FILE
    assert clean({"a": [secret, {"b": "[secret]"}], "__defaults": ["a"]}) == {
        "a": [Special.SECRET, {"b": Special.SECRET}]
    }


def test_a_secret_hides_everything_in_it() -> None:
    assert lookup({"labels": Special.SECRET}, ("labels", "env")) is Special.SECRET
    assert lookup({"labels": {}}, ("labels", "env")) is Special.ABSENT
    assert lookup({"configs": [{"topic": "t"}]}, ("configs", 0, "topic")) == "t"
    assert lookup({"configs": []}, ("configs", 0, "topic")) is Special.ABSENT


def test_leaves_are_single_values() -> None:
    value: Value = {"a": {"b": 1, "c": []}, "d": ["x", "y"], "e": [{"f": None}]}
    assert list(leaves(value)) == [
        (("a", "b"), 1),
        (("a", "c"), []),
        (("d",), ["x", "y"]),
        (("e", 0, "f"), None),
    ]


@pytest.mark.parametrize(
    "path", [("password",), ("config", "apiKey"), ("auth_token",), ("userPassphrase", "value")]
)
def test_some_names_are_never_shown(path: Path) -> None:
    assert show(path, "hunter2") is Special.SECRET


def test_a_private_name_inside_a_printed_list_is_not_shown_either() -> None:
    assert show(("users",), [{"password": "hunter2"}]) == '[{"password": "(a secret)"}]'


def test_texts_about_patients_are_counted_not_shown() -> None:
    assert show(("view", "query"), "SELECT 1") == "(8 characters, not shown)"
    assert show(("timeZone",), "UTC", hide=True) == "(3 characters, not shown)"


def test_values_are_printed_as_json_and_cut() -> None:
    assert show(("a",), True) == "true"
    assert show(("a",), ["x", Special.UNKNOWN]) == '["x", "(known after the deployment)"]'
    assert show(("a",), "x" * 500) == "x" * 120 + "... (500 characters)"


@pytest.mark.parametrize(
    ("message", "tidied"),
    [
        ("error: one\n\n  two\n", "one / two"),
        ("<{%fg 1%}>red<{%reset%}> \x1b[31mansi\x1b[0m", "red ansi"),
        (
            "denied for ya29.a0AfH6-SMBx and Bearer abc.def",
            "denied for [secret] and Bearer [secret]",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n", "[secret]"),
        (
            'Traceback (most recent call last):\n  File "x.py", line 1\n    f()\n    ^^^\nE: a\nb',
            "E: a / b",
        ),
        (
            "property x value {a b} has a problem: y",
            "property x value {not shown} has a problem: y",
        ),
    ],
)
def test_messages_are_cleaned_for_publication(message: str, tidied: str) -> None:
    assert tidy(message) == tidied
