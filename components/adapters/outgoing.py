"""The outgoing side: a Cloud Run worker pool that sends what a subscription brings.

It keeps nothing: a message is acknowledged once the peer has taken it.
"""

# Unevaluated, the annotations load nothing of the provider for programs without adapters.
from __future__ import annotations

from dataclasses import replace

import pulumi
from pulumi_gcp import cloudrunv2, pubsub

from components import propagation
from components.adapters.arguments import AdapterArgs, OutgoingArgs
from components.adapters.networks import network_path, subnetwork_path
from components.adapters.sides import Child, Side, grant_roles, resource_name
from components.notification_topic import (
    SUBSCRIBER,
    NotificationTopic,
    NotificationTopicArgs,
    SubscriptionArgs,
)
from components.service_accounts import create_account


class Outgoing:
    """The resources of an outgoing side.

    Args:
        name: logical name of the component
        args: of the adapter, which has an outgoing side
        side: what it runs, all but its subscription
        child: makes options of children
    """

    service_account: pulumi.Output[str]
    subscription: pulumi.Output[str]

    def __init__(self, name: str, args: AdapterArgs, side: Side, child: Child) -> None:
        assert args.outgoing is not None
        self._name, self._args, self._side, self._child = f"{name}-outgoing", args, side, child
        self._resource = f"{resource_name(side, args)}-out"
        title = f"{side.protocol.upper()} adapter {args.adapter}, outgoing"
        account = create_account(self._name, args.project, self._resource, title, child())
        self.service_account = account.email
        self.subscription = self._subscribe(args.outgoing)
        granted = [
            *grant_roles(self._name, side, account.member, child),
            pubsub.SubscriptionIAMMember(
                f"{self._name}-subscription",
                project=args.project,
                subscription=self.subscription.apply(lambda full: full.rpartition("/")[2]),
                role=SUBSCRIBER,
                member=account.member,
                opts=child(hooks=propagation.after_accounts()),
            ),
        ]
        self._run(args.outgoing, account.email, granted)

    def _subscribe(self, outgoing: OutgoingArgs) -> pulumi.Output[str]:
        """Subscribe to the topic; return the full name of the subscription."""
        wanted = outgoing.subscription or SubscriptionArgs(self._resource)
        labels = {**self._args.labels, **wanted.labels}
        topic = NotificationTopic(
            self._name,
            NotificationTopicArgs(
                project=self._args.project,
                topic=outgoing.topic,
                subscriptions=[replace(wanted, labels=labels)],
                pubsub_agent=outgoing.pubsub_agent,
            ),
            self._child(),
        )
        return topic.subscriptions.apply(lambda known: known[wanted.name])

    def _run(
        self,
        outgoing: OutgoingArgs,
        account: pulumi.Input[str],
        granted: list[pulumi.Resource],
    ) -> None:
        args, side = self._args, self._side
        environment = [{"name": key, "value": text} for key, text in side.environment.items()]
        cloudrunv2.WorkerPool(
            self._name,
            project=args.project,
            location=args.region,
            name=self._resource,
            labels=args.labels,
            # Everything that it works on is in the store and in the subscription.
            deletion_protection=False,
            scaling={"manual_instance_count": outgoing.instances},
            template={
                "service_account": account,
                "containers": [
                    {
                        "image": args.image,
                        "args": [*side.arguments, "--subscription", self.subscription],
                        "envs": environment,
                    }
                ],
                # Peers are in the VPC network, or behind its VPN.
                "vpc_access": {
                    "egress": "PRIVATE_RANGES_ONLY",
                    "network_interfaces": [
                        {
                            "network": network_path(args.project, args.network),
                            "subnetwork": subnetwork_path(
                                args.project, args.region, args.subnetwork
                            ),
                        }
                    ],
                },
            },
            opts=self._child(depends_on=granted, hooks=propagation.after_grants()),
        )
