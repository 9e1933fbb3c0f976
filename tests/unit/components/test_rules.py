"""The rules of names, at their edges."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components import rules

Rule = Callable[[str], str | None]


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        (rules.project, ["local-project", "a12345", "example.com:my-project", "a" + "b" * 29]),
        (rules.location, [*rules.LOCATIONS]),
        (rules.time_zone, ["UTC", "Europe/Zurich", "America/Argentina/Buenos_Aires"]),
        (rules.healthcare_id, ["a", "1", "a.b-c_d", "Röntgen", "放射線", "x" * 256]),
        (rules.dicom_store_id, ["a", "A-1_b", "x" * 256]),
        (rules.bigquery_dataset_id, ["dataset1", "_x", "1", "x" * 1024]),
        (rules.service, ["healthcare.googleapis.com", "storage-component.googleapis.com"]),
        (
            rules.role,
            [
                "roles/storage.objectAdmin",
                "roles/viewer",
                "roles/bigquery.dataEditor",
                "projects/my-project/roles/custom_1",
                "organizations/123/roles/custom.role",
            ],
        ),
        (rules.member, ["user:a@example.com", "serviceAccount:x@y.z", "principalSet://iam/a"]),
        (rules.label_key, ["a", "größe", "a-b_c9", "x" * 63, "ж" * 63]),
        (rules.label_value, ["", "1", "-", "x" * 63]),
    ],
)
def test_good_values_pass(rule: Rule, good: list[str]) -> None:
    assert {value: rule(value) for value in good} == dict.fromkeys(good)


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        (rules.project, ["", "short", "Upper-case", "1abcdef", "ends-with-", "x" * 31, "123456"]),
        (rules.location, ["", "US", "us-central1-a", "global", "europe-west1"]),
        (rules.time_zone, ["", "Mars/Base", "Europe", "../etc/passwd", "/etc/localtime"]),
        (rules.healthcare_id, ["", "a b", "a/b", "x" * 257, "a\n"]),
        (rules.dicom_store_id, ["", "a.b", "ä", "x" * 257, "a\n"]),
        (rules.bigquery_dataset_id, ["", "a-b", "a.b", "ä", "x" * 1025]),
        (rules.service, ["", "healthcare", "healthcare.google.com", "https://a.googleapis.com"]),
        (rules.role, ["", "storage.objectAdmin", "role/viewer", "roles/", "roles/a b"]),
        (rules.member, ["", "someone@example.com", "user:"]),
        (rules.label_key, ["", "A", "1a", "-a", "a b", "x" * 64, "放" * 43]),
        (rules.label_value, ["A", "a.b", "x" * 64, "放" * 43]),
    ],
)
def test_bad_values_are_reported_what_is_allowed(rule: Rule, bad: list[str]) -> None:
    for value in bad:
        complaint = rule(value)
        assert complaint is not None, value
        assert "Allowed: " in complaint or "Give the project's id" in complaint


def test_repeated_values_point_to_the_first() -> None:
    assert rules.repeated(["a", "b", "a", "c", "a"]) == [(2, "a", 0), (4, "a", 0)]
    assert rules.repeated([]) == []


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_text_breaks_a_rule(text: str) -> None:
    everything: list[Rule] = [
        rules.project,
        rules.location,
        rules.time_zone,
        rules.healthcare_id,
        rules.dicom_store_id,
        rules.bigquery_dataset_id,
        rules.service,
        rules.role,
        rules.member,
        rules.label_key,
        rules.label_value,
    ]
    for rule in everything:
        complaint = rule(text)
        assert complaint is None or complaint.endswith((".", "shows it."))


@settings(deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_-]{1,256}", fullmatch=True))
def test_every_id_of_a_dicom_store_may_name_a_dataset(text: str) -> None:
    assert rules.dicom_store_id(text) is None
    assert rules.healthcare_id(text) is None
