"""Every new instance is told to a worker: a topic, a push subscription, a store that notifies."""

import pulumi

from components.healthcare_dataset import HealthcareDataset, HealthcareDatasetArgs
from components.notification_topic import (
    NotificationTopic,
    NotificationTopicArgs,
    SubscriptionArgs,
)
from components.project_services import ProjectServices, ProjectServicesArgs
from components.stores import DicomStoreArgs

PROJECT = pulumi.Config("gcp").require("project")
WORKER = pulumi.Config().get("worker") or "https://worker.example.com/dicom"
PUBSUB = "pubsub.googleapis.com"

services = ProjectServices(
    "services",
    ProjectServicesArgs(PROJECT, ["healthcare.googleapis.com", PUBSUB], identities=[PUBSUB]),
)
ready = pulumi.ResourceOptions(depends_on=[services])
unread = NotificationTopic("unread", NotificationTopicArgs(PROJECT, "instances-unread"), ready)
instances = NotificationTopic(
    "instances",
    NotificationTopicArgs(
        PROJECT,
        "instances",
        publishers={"healthcare": services.service_agent_member},
        subscriptions=[
            SubscriptionArgs(
                "worker",
                ack_deadline_seconds=60,
                push_config={"push_endpoint": WORKER},
                retry_policy={"minimum_backoff": "1s", "maximum_backoff": "60s"},
                # After five failed deliveries a message goes to the dead-letter topic.
                dead_letter_topic=unread.topic,
                max_delivery_attempts=5,
            ),
            SubscriptionArgs("monitor"),
        ],
        pubsub_agent=services.agent_members[PUBSUB],
    ),
    ready,
)
imaging = HealthcareDataset(
    "imaging",
    HealthcareDatasetArgs(
        PROJECT,
        "us-central1",
        "imaging",
        dicom_stores=[
            DicomStoreArgs(
                "incoming",
                # Imported instances are told too, not only those that arrive by STOW-RS.
                notification_config={
                    "pubsub_topic": instances.topic,
                    "send_for_bulk_import": True,
                },
            )
        ],
    ),
    pulumi.ResourceOptions(depends_on=[services, instances]),
)

pulumi.export("dicomStores", imaging.dicom_stores)
pulumi.export("topic", instances.topic)
pulumi.export("subscriptions", instances.subscriptions)
