"""Pub/Sub as its handlers see it."""

from dataclasses import dataclass

from emulator.services.iam.service import Iam
from emulator.services.pubsub.messages import Messages
from emulator.services.pubsub.push_worker import PushWorker
from emulator.services.pubsub.subscriptions import Subscriptions
from emulator.services.pubsub.topics import Topics
from emulator.services.serviceusage.service import ProjectAccess

API = "pubsub.googleapis.com"


@dataclass(frozen=True)
class PubSub:
    """The state of Pub/Sub."""

    iam: Iam
    projects: ProjectAccess
    topics: Topics
    subscriptions: Subscriptions
    messages: Messages
    push: PushWorker
