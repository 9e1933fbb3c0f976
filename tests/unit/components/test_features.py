"""Resources of a stack's features: topics, keys, access, logs, views, and their dependencies."""

from typing import Any

import pulumi
import pytest
from pulumi_gcp import healthcare

from components.base import ArgumentError
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.grants import GrantArgs
from components.healthcare_dataset import HealthcareDatasetArgs
from components.notification_topic import NotificationTopicArgs, SubscriptionArgs
from components.propagation import PropagationRetry
from components.stores import DicomStoreArgs
from program.service_agent_grants import LAB_ROLES
from tests.support.program import run
from tests.unit.components.deployment import AGENT, deploy

MEMBER = f"serviceAccount:{AGENT}"
KEY = "projects/my-project/locations/us-central1/keyRings/r/cryptoKeys/k"
STREAM = healthcare.DicomStoreStreamConfigArgs(
    bigquery_destination=healthcare.DicomStoreStreamConfigBigqueryDestinationArgs(
        table_uri="bq://my-project.d.t"
    )
)


def notifying(**config: Any) -> dict[str, Any]:
    store = {"name": "ct", "notificationConfig": {"pubsubTopic": "imaging"}}
    return {"dicomStores": [store], "topics": [{"name": "imaging"}], **config}


def test_a_store_waits_for_the_right_to_publish_to_its_topic() -> None:
    deployed = run(**notifying())
    grant = deployed["topic-imaging-healthcare"]
    assert grant.inputs == {
        "project": "local-project",
        "topic": "imaging",
        "role": "roles/pubsub.publisher",
        "member": MEMBER,
    }
    assert deployed["healthcare-ct"].inputs["notificationConfig"] == {
        "pubsubTopic": "projects/local-project/topics/imaging"
    }
    assert "topic-imaging-healthcare" in deployed.all_dependencies("healthcare-ct")
    assert "services-pubsub" in deployed.names


def test_a_topic_that_no_one_notifies_opens_for_no_one() -> None:
    deployed = run(topics=[{"name": "imaging"}])
    assert deployed.of_type("gcp:pubsub/topicIAMMember:TopicIAMMember") == []


def test_a_given_topic_is_not_made_but_opened_where_it_is() -> None:
    topic = "projects/other-project/topics/events"
    store = {"name": "ct", "notificationConfig": {"pubsubTopic": topic}}
    deployed = run(dicomStores=[store])
    [grant] = deployed.of_type("gcp:pubsub/topicIAMMember:TopicIAMMember")
    assert (grant.inputs["project"], grant.inputs["topic"]) == ("other-project", "events")
    assert deployed.of_type("gcp:pubsub/topic:Topic") == []
    assert deployed["healthcare-ct"].inputs["notificationConfig"]["pubsubTopic"] == topic


def test_dead_letters_need_pubsubs_own_agent() -> None:
    letters = {"topic": "dead", "maxDeliveryAttempts": 5}
    topics = [
        {"name": "imaging", "subscriptions": [{"name": "worker", "deadLetter": letters}]},
        {"name": "dead"},
    ]
    deployed = run(topics=topics)
    assert deployed["topic-imaging-worker"].inputs["deadLetterPolicy"] == {
        "deadLetterTopic": "projects/local-project/topics/dead",
        "maxDeliveryAttempts": 5,
    }
    roles = {
        (grant.type.rpartition(":")[2], grant.inputs["role"])
        for grant in deployed.resources
        if grant.name == "topic-imaging-worker-dead-letter"
    }
    assert roles == {
        ("TopicIAMMember", "roles/pubsub.publisher"),
        ("SubscriptionIAMMember", "roles/pubsub.subscriber"),
    }
    assert "services-pubsub-agent" in deployed.names


def test_a_dataset_waits_for_its_key_and_the_agents_right_to_use_it() -> None:
    deployed = run(encryption={"keyRing": "ring", "key": "key", "rotationPeriod": "7776000s"})
    assert (
        deployed["healthcare-key-healthcare"].inputs["role"].endswith("cryptoKeyEncrypterDecrypter")
    )
    [dataset] = deployed.of_type("gcp:healthcare/dataset:Dataset")
    assert "healthcare-key-healthcare" in dataset.dependencies
    assert dataset.inputs["encryptionSpec"]["kmsKeyName"]
    assert "services-cloudkms" in deployed.names


def test_a_given_key_is_used_and_not_made() -> None:
    deployed = run(encryption={"kmsKeyName": KEY})
    assert deployed.of_type("gcp:kms/keyRing:KeyRing") == []
    [dataset] = deployed.of_type("gcp:healthcare/dataset:Dataset")
    assert dataset.inputs["encryptionSpec"] == {"kmsKeyName": KEY}
    assert deployed["healthcare-key-healthcare"].inputs["cryptoKeyId"] == KEY


def test_least_privilege_gives_each_role_where_it_is_needed() -> None:
    foreign = {"tableUri": "bq://other-project.far.ct"}
    deployed = run(
        access="least-privilege",
        importBuckets=["incoming"],
        exportBuckets=["outgoing"],
        dicomStores=[
            {
                "name": "ct",
                "streamConfigs": [
                    {"bigqueryDestination": {"tableUri": "ct_stream"}},
                    {"bigqueryDestination": foreign},
                ],
            }
        ],
    )
    project = deployed.of_type("gcp:projects/iAMMember:IAMMember")
    assert [grant.inputs["role"] for grant in project] == ["roles/bigquery.jobUser"]
    buckets = deployed.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    assert [(grant.inputs["bucket"], grant.inputs["role"]) for grant in buckets] == [
        ("incoming", "roles/storage.objectViewer"),
        ("outgoing", "roles/storage.objectAdmin"),
    ]
    datasets = deployed.of_type("gcp:bigquery/datasetIamMember:DatasetIamMember")
    assert sorted((grant.inputs["project"], grant.inputs["datasetId"]) for grant in datasets) == [
        ("local-project", "dataset1"),
        ("other-project", "far"),
    ]
    store = deployed["healthcare-ct"]
    assert store.inputs["streamConfigs"][0]["bigqueryDestination"] == {
        "tableUri": "bq://local-project.dataset1.ct_stream"
    }
    assert {"service-agent-access-bigquery-warehouse", "warehouse"} <= deployed.all_dependencies(
        "healthcare-ct"
    )
    granted = {(item["role"], item["on"]) for item in deployed.outputs["stack"]["access"]}
    assert granted == {
        ("roles/bigquery.jobUser", "project local-project"),
        ("roles/bigquery.dataEditor", "bq://local-project.dataset1"),
        ("roles/bigquery.dataEditor", "bq://other-project.far"),
        ("roles/storage.objectViewer", "gs://incoming"),
        ("roles/storage.objectAdmin", "gs://outgoing"),
    }


def test_the_labs_mode_gives_the_labs_roles() -> None:
    deployed = run()
    roles = [grant.inputs["role"] for grant in deployed.of_type("gcp:projects/iAMMember:IAMMember")]
    assert roles == list(LAB_ROLES)


def test_protection_reaches_the_data_and_not_the_members() -> None:
    deployed = run(
        deletionProtection=True,
        members=[{"role": "roles/healthcare.datasetViewer", "members": ["user:a@example.com"]}],
        encryption={"keyRing": "ring", "key": "key"},
    )
    protected = {resource.name for resource in deployed.resources if resource.protect}
    assert {"healthcare", "healthcare-dicomstore1", "healthcare-key"} <= protected
    assert "healthcare-healthcare.datasetViewer-user:a@example.com" not in protected
    assert "warehouse" not in protected


def test_audit_logs_are_those_of_the_healthcare_api() -> None:
    deployed = run(auditLogs=["DATA_READ", "DATA_WRITE"])
    [config] = deployed.of_type("gcp:projects/iAMAuditConfig:IAMAuditConfig")
    assert config.inputs == {
        "project": "local-project",
        "service": "healthcare.googleapis.com",
        "auditLogConfigs": [{"logType": "DATA_READ"}, {"logType": "DATA_WRITE"}],
    }


def test_views_are_made_over_the_tables_there_are() -> None:
    deployed = run(bigqueryViews=True, tables=["dicomstore2", "other"])
    views = {
        view.inputs["tableId"]: view.inputs["view"]
        for view in deployed.of_type("gcp:bigquery/table:Table")
    }
    assert set(views) == {
        "dicomstore2_studies",
        "dicomstore2_findings_by_patient",
        "dicomstore2_modality_counts",
        "dicomstore2_findings_vs_measured",
    }
    assert "FROM `local-project.dataset1.dicomstore2`" in views["dicomstore2_studies"]["query"]
    assert all(view["useLegacySql"] is False for view in views.values())


def test_no_table_no_view_no_error() -> None:
    assert run(bigqueryViews=True).of_type("gcp:bigquery/table:Table") == []


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: GrantArgs("viewer", ["user:a@b.c"]), "is not the name of a role"),
        (lambda: GrantArgs("roles/viewer", ["allUsers"]), "would open patient data to everyone"),
        (
            lambda: HealthcareDatasetArgs(
                "my-project", "eu", "d", members=[GrantArgs("roles/viewer", ["user:a@b.c"] * 2)]
            ),
            "roles/viewer for user:a@b.c is given twice",
        ),
        (lambda: DicomStoreArgs("a", stream_configs=[STREAM] * 6), "6 streams, of 5 allowed"),
        (
            lambda: NotificationTopicArgs(
                "my-project",
                "imaging",
                subscriptions=[SubscriptionArgs("sub", dead_letter_topic="projects/p/topics/t")],
            ),
            "pubsub_agent: needed for a dead-letter topic",
        ),
        (
            lambda: NotificationTopicArgs(
                "my-project", "imaging", subscriptions=[SubscriptionArgs("sub")] * 2
            ),
            'two are named "sub"',
        ),
    ],
)
def test_bad_arguments_are_refused(make: Any, complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        make()


def test_a_key_reports_its_name_before_it_is_used() -> None:
    def program() -> None:
        key = EncryptionKey("key", EncryptionKeyArgs({"agent": MEMBER}, kms_key_name=KEY))
        pulumi.export("key", key.kms_key_name)

    deployed = deploy(program)
    assert deployed.outputs["stack"] == {"key": KEY}
    assert deployed["key-agent"].inputs["member"] == MEMBER


REFUSED = "googleapi: Error 403: Permission denied for the service agent"


def test_what_was_refused_is_tried_again_ever_less_often_until_the_deadline() -> None:
    patience = PropagationRetry(deadline=60)
    waits = [patience.wait("urn", [REFUSED] * count) for count in range(1, 9)]
    assert all(wait is not None for wait in waits)
    known = [wait for wait in waits if wait is not None]
    assert 0.5 <= known[0] <= 1
    assert known[4] >= 8
    assert max(known) <= 30


def test_the_deadline_counts_from_the_first_refusal() -> None:
    assert PropagationRetry(deadline=0).wait("urn", [REFUSED]) is None


AGENT_MISSING = (
    "googleapi: Error 400: Service account service-1@gcp-sa-healthcare.iam.gserviceaccount.com "
    "does not exist., badRequest"
)


@pytest.mark.parametrize(
    "error", [AGENT_MISSING, "googleapi: Error 404: dataset not initialized, notFound"]
)
def test_what_google_is_still_creating_is_waited_for(error: str) -> None:
    for grants in (True, False):
        assert PropagationRetry(grants=grants).wait("urn", [error]) is not None


NEW_ACCOUNT = (
    "googleapi: Error 400: Service account dimse-ct@my-project.iam.gserviceaccount.com does not "
    "exist., badRequest"
)


def test_an_account_of_the_program_is_waited_for_and_others_are_not() -> None:
    assert PropagationRetry(grants=False, accounts=True).wait("urn", [NEW_ACCOUNT]) is not None
    assert PropagationRetry(grants=False).wait("urn", [NEW_ACCOUNT]) is None


@pytest.mark.parametrize(
    "error",
    [REFUSED, "googleapi: Error 400: User someone@example.com does not exist., badRequest"],
)
def test_without_a_new_grant_a_refusal_is_final(error: str) -> None:
    assert PropagationRetry(grants=False).wait("urn", [error]) is None


def test_other_errors_are_final() -> None:
    assert PropagationRetry().wait("urn", ["Error 400: invalid time zone"]) is None
    assert PropagationRetry().wait("urn", []) is None
