"""Errors between settings that are each valid."""

from typing import Any

import pytest

from program.config.references import in_order
from tests.support.settings import parse, problem, problems

KEY = "projects/my-project/locations/us-central1/keyRings/r/cryptoKeys/k"
GRANT = {"role": "roles/viewer", "members": ["user:a@example.com"]}


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        location="moon",
        dicomStores=[{"name": "a", "labels": {"A": "x"}}, {"name": "a"}],
        topics=[{"name": "x"}],
        access="least-privileg",
        importBuckets=["gs://incoming/x"],
        datasets=[{"name": "healthcare"}],
        auditLogs=["READ"],
        nonsense=1,
    )
    assert list(found) == [
        "location",
        "dicomStores[0].labels.A",
        "dicomStores[1].name",
        "datasets[0].name",
        "topics[0].name",
        "access",
        "importBuckets",
        "importBuckets[0]",
        "auditLogs[0]",
        "nonsense",
    ]
    assert 'Did you mean "incoming"?' in found["importBuckets[0]"]
    assert 'Did you mean "least-privilege"?' in found["access"]


@pytest.mark.parametrize(
    ("key", "config", "complaint"),
    [
        (
            "dicomStores[0].notificationConfig.pubsubTopic",
            {
                "dicomStores": [{"name": "a", "notificationConfig": {"pubsubTopic": "imagin"}}],
                "topics": [{"name": "imaging"}],
            },
            'Did you mean "imaging"? Allowed: a name under topics (imaging), or projects/',
        ),
        (
            "hl7v2Stores[0].parserConfig",
            {"hl7v2Stores": [{"name": "h", "parserConfig": {"version": "V3"}}]},
            "Allowed: allowNullHeader, schema or segmentTerminator beside it.",
        ),
        (
            "datasets[0].hl7v2Stores[0].notificationConfigs[0].pubsubTopic",
            {
                "datasets": [
                    {
                        "name": "d",
                        "hl7v2Stores": [
                            {"name": "a", "notificationConfigs": [{"pubsubTopic": "none"}]}
                        ],
                    }
                ]
            },
            "Allowed: a name under topics (none is listed)",
        ),
        (
            "topics[0].subscriptions[0].deadLetter.topic",
            {
                "topics": [
                    {
                        "name": "imaging",
                        "subscriptions": [{"name": "sub", "deadLetter": {"topic": "gone"}}],
                    }
                ]
            },
            "is not one of the stack's topics.",
        ),
        (
            "topics",
            {
                "topics": [
                    {
                        "name": name,
                        "subscriptions": [{"name": f"s-{name}", "deadLetter": {"topic": other}}],
                    }
                    for name, other in (("one", "two"), ("two", "one"))
                ]
            },
            "take each other's dead letters: one -> two -> one. Allowed: no circles.",
        ),
        (
            "topics[1].name",
            {"topics": [{"name": "same"}, {"name": "same"}]},
            "is the same as gcp-healthcare-dicom:topics[0].name.",
        ),
        (
            "topics[1].subscriptions[0].name",
            {
                "topics": [
                    {"name": "one", "subscriptions": [{"name": "sub"}]},
                    {"name": "two", "subscriptions": [{"name": "sub"}]},
                ]
            },
            "Allowed: each once in a project.",
        ),
        (
            "datasets[0].location",
            {"allowedLocations": ["us-central1"], "datasets": [{"name": "d", "location": "eu"}]},
            "is not among gcp-healthcare-dicom:allowedLocations. Allowed: us-central1.",
        ),
        (
            "location",
            {"allowedLocations": ["eu"]},
            '= "us-central1"\n    is not among gcp-healthcare-dicom:allowedLocations.',
        ),
        (
            "topics[0].allowedPersistenceRegions[0]",
            {
                "allowedLocations": ["us-central1"],
                "topics": [{"name": "abc", "allowedPersistenceRegions": ["us-east1"]}],
            },
            "is not among gcp-healthcare-dicom:allowedLocations.",
        ),
        (
            "datasets[1].name",
            {"datasets": [{"name": "d"}, {"name": "d", "dataset": "e"}]},
            "is the same as gcp-healthcare-dicom:datasets[0].name. Allowed: each once.",
        ),
        (
            "datasets[0].dataset",
            {"datasets": [{"name": "d", "dataset": "dataset1"}]},
            "is also the id of gcp-healthcare-dicom:dataset in us-central1.",
        ),
        (
            "encryption",
            {"encryption": {"kmsKeyName": KEY, "key": "k"}},
            "has kmsKeyName and key. Allowed: kmsKeyName for a key that exists, or keyRing and key",
        ),
        (
            "encryption",
            {"encryption": {"keyRing": "r"}},
            "is incomplete. Allowed: kmsKeyName, or keyRing and key together.",
        ),
        (
            "datasets[0].encryption.kmsKeyName",
            {"datasets": [{"name": "d", "location": "eu", "encryption": {"kmsKeyName": KEY}}]},
            "is a key in us-central1, but the dataset is in eu.",
        ),
        (
            "serviceAgentRoles",
            {"serviceAgentRoles": ["roles/viewer"]},
            'has no effect with gcp-healthcare-dicom:access = "lab". Set access to explicit',
        ),
        (
            "exportBuckets",
            {"access": "explicit", "exportBuckets": ["out-going"]},
            "Set access to least-privilege, or remove this.",
        ),
        (
            "members[1].members[0]",
            {"members": [GRANT, GRANT]},
            "has roles/viewer already by gcp-healthcare-dicom:members[0].members[0].",
        ),
        (
            "fhirStores[0].members[0].members[1]",
            {
                "fhirStores": [
                    {"name": "f", "members": [{**GRANT, "members": ["user:a@b.c", "user:a@b.c"]}]}
                ]
            },
            "has roles/viewer already by",
        ),
        (
            "fhirStores[0].notificationConfig",
            {
                "topics": [{"name": "imaging"}],
                "fhirStores": [
                    {
                        "name": "f",
                        "notificationConfig": {"pubsubTopic": "imaging"},
                        "notificationConfigs": [{"pubsubTopic": "imaging"}],
                    }
                ],
            },
            "is given beside notificationConfigs. Allowed: one of the two; the list is the newer.",
        ),
        (
            "projectMembers[0].members[0]",
            {"projectMembers": [{"role": "roles/viewer", "members": ["allUsers"]}]},
            "would open patient data to everyone.",
        ),
        (
            "projectMembers[0].members[0]",
            {"projectMembers": [{"role": "roles/viewer", "members": ["users:a@b.c"]}]},
            'is not an IAM member. Did you mean "user"?',
        ),
        (
            "dicomStores[0].streamConfigs",
            {
                "dicomStores": [
                    {"name": "a", "streamConfigs": [{"bigqueryDestination": {"tableUri": "t"}}] * 6}
                ]
            },
            "at most 5 items",
        ),
        (
            "hl7v2Stores[0].parserConfig.schema",
            {"hl7v2Stores": [{"name": "h", "parserConfig": {"schema": "{"}}]},
            "is not JSON:",
        ),
        ("bigqueryTableExpirationDays", {"bigqueryTableExpirationDays": "soon"}, "a whole number"),
    ],
)
def test_what_is_refused(key: str, config: dict[str, Any], complaint: str) -> None:
    assert complaint in problem(key, **config)


def test_values_of_wrong_types_break_no_check() -> None:
    found = problems(
        datasets=["x", {"name": 3, "dicomStores": 5, "members": [7], "encryption": []}],
        topics=[{"name": {}, "subscriptions": [4]}, None],
        dicomStores=[{"name": "a", "notificationConfig": 1, "members": "all"}],
    )
    assert {"datasets[0]", "topics[1]", "dicomStores[0].members"} <= set(found)


def test_dead_letter_topics_are_made_first() -> None:
    topics = [
        {"name": "first", "subscriptions": [{"name": "sub", "deadLetter": {"topic": "last"}}]},
        {"name": "last"},
    ]
    assert in_order(parse(topics=topics).topics) == ["last", "first"]
