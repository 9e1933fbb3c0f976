"""The inference service: a program on Cloud Run to which Pub/Sub pushes each new instance."""

# Unevaluated, the annotations load nothing of the provider for programs without services.
from __future__ import annotations

from typing import Any

import pulumi
from pulumi_gcp import cloudrunv2, healthcare, pubsub, serviceaccount

from components import propagation
from components.base import Component
from components.inference.arguments import InferenceServiceArgs
from components.notification_topic import (
    NotificationTopic,
    NotificationTopicArgs,
    SubscriptionArgs,
)
from components.service_accounts import create_account

DICOM_EDITOR = "roles/healthcare.dicomEditor"
"""Reads images, and stores reports beside them."""
FHIR_EDITOR = "roles/healthcare.fhirResourceEditor"
"""Searches for an observation and creates it."""
INVOKER = "roles/run.invoker"
TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator"  # noqa: S105 (the name of a role)
"""The role of Pub/Sub's service agent on the account whose tokens it presents.

Documented: https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""
INTERNAL = "INGRESS_TRAFFIC_INTERNAL_ONLY"
"""Pub/Sub in the service's own project counts as internal.

Documented: https://cloud.google.com/run/docs/securing/ingress#internal-services
"""
_SECONDS = 120
"""The time for one instance; Pub/Sub waits as long for its acknowledgement."""
_BACKOFF: pubsub.SubscriptionRetryPolicyArgsDict = {
    "minimum_backoff": "10s",
    "maximum_backoff": "600s",
}
"""Without a policy, a store that is down for a minute would use up all attempts of a message."""


class InferenceService(Component):
    """A program that measures new instances of a DICOM store, and writes its results back.

    The store's topic pushes to a service of Cloud Run, as an account that may do nothing else.
    Messages that can't be worked on end in a dead-letter topic. Give `depends_on` the stores, the
    topic and the services.

    Inputs: see `InferenceServiceArgs`.

    Outputs:
        uri: Where the service listens.
        service_account: The e-mail address of its account, which has roles on the stores alone.
        subscription: The full name of the subscription that pushes to it.
        dead_letter_topic: The full name of the topic of messages that can't be worked on.
        dead_letter_subscription: The full name of its subscription; empty for a topic that exists.
    """

    uri: pulumi.Output[str]
    service_account: pulumi.Output[str]
    subscription: pulumi.Output[str]
    dead_letter_topic: pulumi.Output[str]
    dead_letter_subscription: pulumi.Output[str]
    summary: dict[str, pulumi.Output[Any]]
    """All outputs, by the names that stacks export them under."""

    def __init__(
        self,
        name: str,
        args: InferenceServiceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._resource = f"inference-{args.service}"
        title = f"Inference service {args.service}"
        account = create_account(name, args.project, self._resource, title, self._child())
        self.service_account = account.email
        letters = self._letters(account)
        granted = [*self._grant_on_stores(account), letters]
        service = self._service(account, granted)
        self.uri = service.uri
        self.subscription = self._subscribe(service, letters)
        self.summary = {
            "uri": self.uri,
            "serviceAccount": self.service_account,
            "subscription": self.subscription,
            "deadLetterTopic": self.dead_letter_topic,
            "deadLetterSubscription": self.dead_letter_subscription,
        }
        self.register_outputs(self.summary)

    def _letters(self, account: serviceaccount.Account) -> NotificationTopic:
        """Make the topic of dead letters unless it exists, and let the program publish to it."""
        args, own = self._args, f"{self._resource}-dead"
        is_own = args.dead_letter_topic is None
        kept = [SubscriptionArgs(own, labels=args.labels)] if is_own else []
        letters = NotificationTopic(
            f"{self._name}-dead",
            NotificationTopicArgs(
                project=args.project,
                topic=args.dead_letter_topic or own,
                publishers={"program": account.member},
                labels=args.labels,
                subscriptions=kept,
            ),
            self._child(),
        )
        self.dead_letter_topic = letters.topic
        self.dead_letter_subscription = letters.subscriptions.apply(
            lambda known: known.get(own, "")
        )
        return letters

    def _grant_on_stores(self, account: serviceaccount.Account) -> list[pulumi.Resource]:
        args, after_account = self._args, self._child(hooks=propagation.after_accounts())
        granted: list[pulumi.Resource] = [
            healthcare.DicomStoreIamMember(
                f"{self._name}-store",
                dicom_store_id=args.dicom_store,
                role=DICOM_EDITOR,
                member=account.member,
                opts=after_account,
            )
        ]
        if args.fhir_store is not None:
            granted.append(
                healthcare.FhirStoreIamMember(
                    f"{self._name}-observations",
                    fhir_store_id=args.fhir_store,
                    role=FHIR_EDITOR,
                    member=account.member,
                    opts=after_account,
                )
            )
        return granted

    def _service(
        self, account: serviceaccount.Account, granted: list[pulumi.Resource]
    ) -> cloudrunv2.Service:
        args = self._args
        template: cloudrunv2.ServiceTemplateArgsDict = {
            "service_account": account.email,
            "timeout": f"{_SECONDS}s",
            "max_instance_request_concurrency": args.concurrency,
            "scaling": {
                "min_instance_count": args.min_instances,
                "max_instance_count": args.max_instances,
            },
            "containers": [
                {
                    "image": args.image,
                    "envs": [{"name": k, "value": v} for k, v in self._environment().items()],
                    "resources": {"limits": {"cpu": args.cpu, "memory": args.memory}},
                }
            ],
        }
        if args.kms_key_name is not None:
            template["encryption_key"] = args.kms_key_name
        return cloudrunv2.Service(
            self._name,
            project=args.project,
            location=args.region,
            name=self._resource,
            labels=args.labels,
            ingress=INTERNAL,
            # Everything that it works on is in the stores and in the subscription.
            deletion_protection=False,
            template=template,
            opts=self._child(depends_on=granted, hooks=propagation.after_grants()),
        )

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        """Return the settings of the program: those of `workloads/inference`."""
        args = self._args
        found: dict[str, pulumi.Input[str]] = {
            "INFERENCE_DICOM_STORE": args.dicom_store,
            "INFERENCE_DEAD_LETTER_TOPIC": self.dead_letter_topic,
        }
        if args.fhir_store is not None:
            found["INFERENCE_FHIR_STORE"] = args.fhir_store
        if args.model is not None:
            found["INFERENCE_MODEL"] = args.model
        if args.presentation_state:
            found["INFERENCE_PRESENTATION_STATE"] = "true"
        return found

    def _subscribe(
        self, service: cloudrunv2.Service, letters: NotificationTopic
    ) -> pulumi.Output[str]:
        """Push the topic's messages to the service; return the full name of the subscription."""
        args, name = self._args, f"{self._name}-push"
        title = f"Pushes to {self._resource}"
        caller = create_account(name, args.project, f"invoker-{args.service}", title, self._child())
        after_account = {"hooks": propagation.after_accounts()}
        invoker = cloudrunv2.ServiceIamMember(
            name,
            project=service.project,
            location=service.location,
            name=service.name,
            role=INVOKER,
            member=caller.member,
            opts=self._child(**after_account),
        )
        tokens = serviceaccount.IAMMember(
            name,
            service_account_id=caller.name,
            role=TOKEN_CREATOR,
            member=args.pubsub_agent,
            opts=self._child(**after_account),
        )
        topic = NotificationTopic(
            name,
            NotificationTopicArgs(
                project=args.project,
                topic=args.topic,
                subscriptions=[self._push(service, caller)],
                pubsub_agent=args.pubsub_agent,
            ),
            self._child(depends_on=[invoker, tokens, letters]),
        )
        return topic.subscriptions.apply(lambda known: known[self._resource])

    def _push(
        self, service: cloudrunv2.Service, caller: serviceaccount.Account
    ) -> SubscriptionArgs:
        args = self._args
        return SubscriptionArgs(
            self._resource,
            labels=args.labels,
            ack_deadline_seconds=_SECONDS,
            push_config={
                "push_endpoint": service.uri,
                "oidc_token": {"service_account_email": caller.email},
            },
            dead_letter_topic=self.dead_letter_topic,
            max_delivery_attempts=args.max_delivery_attempts,
            retry_policy=_BACKOFF,
        )
