"""Values that the real Google provider refuses are settings errors with a hint."""

from typing import Any

import pytest

from tests.support.settings import parse, problem

CONDITION = {"title": "trial", "expression": "true"}
GRANT = {"role": "roles/viewer", "members": ["user:a@example.com"], "condition": CONDITION}


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("members[0].condition", {"members": [GRANT]}),
        ("datasets[0].members[0].condition", {"datasets": [{"name": "d", "members": [GRANT]}]}),
        (
            "dicomStores[0].members[0].condition",
            {"dicomStores": [{"name": "d", "members": [GRANT]}]},
        ),
        (
            "consentStores[0].members[0].condition",
            {"consentStores": [{"name": "c", "members": [GRANT]}]},
        ),
    ],
)
def test_a_condition_on_healthcare_data_names_where_conditions_work(
    key: str, config: dict[str, Any]
) -> None:
    text = problem(key, **config)

    assert "the Google provider can't find such a grant again" in text
    assert "projectMembers" in text
    assert "bigqueryMembers" in text


@pytest.mark.parametrize("key", ["projectMembers", "bigqueryMembers"])
def test_a_condition_is_taken_where_it_works(key: str) -> None:
    assert parse(**{key: [GRANT]})


def test_admin_consents_are_output_only() -> None:
    consent = {"version": "V1", "enforcedAdminConsents": ["c"]}

    text = problem(
        "fhirStores[0].consentConfig.enforcedAdminConsents",
        fhirStores=[{"name": "f", "consentConfig": consent}],
    )

    assert "is set by Google alone" in text
    assert "Remove it" in text


@pytest.mark.parametrize("key", ["sendFullResource", "sendPreviousResourceOnDelete"])
def test_the_single_notification_of_a_fhir_store_has_a_topic_alone(key: str) -> None:
    single = {"pubsubTopic": "projects/my-project/topics/topic", key: True}

    text = problem(
        f"fhirStores[0].notificationConfig.{key}",
        fhirStores=[{"name": "f", "notificationConfig": single}],
    )

    assert "Move it to notificationConfigs" in text


@pytest.mark.parametrize("period", ["3600s", "86399s", "86400.0000000001s"])
def test_a_key_rotates_once_a_day_at_most(period: str) -> None:
    encryption = {"keyRing": "r", "key": "k", "rotationPeriod": period}

    assert "86400s" in problem("encryption.rotationPeriod", encryption=encryption)
