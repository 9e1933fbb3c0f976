"""An alert on access to patient data by principals that are not expected."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import logging, monitoring

from components import rules
from components.base import ArgumentError, Component, require
from components.project_services import HEALTHCARE

RATE_LIMIT = "300s"
"""The least time between two notifications of the alert."""
_PRINCIPAL = "EXTRACT(protoPayload.authenticationInfo.principalEmail)"
_METHOD = "EXTRACT(protoPayload.methodName)"


@dataclass(frozen=True)
class AccessAlertArgs:
    """Arguments of `AccessAlert`.

    Attributes:
        project: The id of the project of the data.
        metric: The name of the log-based metric.
        allowed_principals: The e-mail addresses of people and service accounts whose access is
            expected. Logs name no groups: list their members, or a domain.
        allowed_domains: Domains whose addresses are expected, such as `example.com`.
        emails: Whom to notify.
        notification_channels: The full names of channels that exist, notified too.
        labels: Labels of the policy and the channels.
    """

    project: pulumi.Input[str]
    metric: str = "unexpected-patient-data-access"
    allowed_principals: Sequence[str] = ()
    allowed_domains: Sequence[str] = ()
    emails: Sequence[str] = ()
    notification_channels: Sequence[str] = ()
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = "AccessAlertArgs"
        require(owner, "project", self.project, rules.project)
        require(owner, "metric", self.metric, rules.log_sink)
        for name, values, rule in (
            ("allowed_principals", self.allowed_principals, rules.email),
            ("allowed_domains", self.allowed_domains, rules.domain),
            ("emails", self.emails, rules.email),
            ("notification_channels", self.notification_channels, rules.notification_channel),
        ):
            for value in values:
                require(owner, name, value, rule)
        if not self.allowed_principals and not self.allowed_domains:
            raise ArgumentError(
                f"{owner}: allowed_principals and allowed_domains are empty, so every access would "
                "notify. Allowed: at least one of them."
            )


class AccessAlert(Component):
    """A log-based metric and an alert policy over the data-access logs of the Healthcare API.

    The metric counts accesses by principals that are not listed, for graphs; the policy notifies of
    them. Data access must be logged: see `AuditLogs`. An access without an address in the log, such
    as that of a workforce identity, counts as not listed.

    Inputs: see `AccessAlertArgs`.

    Outputs:
        filter: The filter of log entries that notify.
        alert_policy: The full name of the policy.
    """

    filter: pulumi.Output[str]
    alert_policy: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: AccessAlertArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        unexpected = unexpected_access(args.allowed_principals, args.allowed_domains)
        logging.Metric(
            name,
            project=args.project,
            name=args.metric,
            description="Accesses to patient data by principals that are not listed.",
            filter=unexpected,
            metric_descriptor={
                "metric_kind": "DELTA",
                "value_type": "INT64",
                "unit": "1",
                "labels": [{"key": "principal", "value_type": "STRING"}],
            },
            label_extractors={"principal": _PRINCIPAL},
            opts=self._child(),
        )
        channels = [
            monitoring.NotificationChannel(
                f"{name}-{email}",
                project=args.project,
                display_name=email,
                type="email",
                labels={"email_address": email},
                user_labels=args.labels,
                opts=self._child(),
            ).name
            for email in args.emails
        ]
        policy = monitoring.AlertPolicy(
            name,
            project=args.project,
            display_name=f"Unexpected access to patient data ({args.metric})",
            combiner="OR",
            severity="WARNING",
            conditions=[
                {
                    "display_name": "a principal that is not listed",
                    "condition_matched_log": {
                        "filter": unexpected,
                        "label_extractors": {"principal": _PRINCIPAL, "method": _METHOD},
                    },
                }
            ],
            alert_strategy={"notification_rate_limit": {"period": RATE_LIMIT}},
            notification_channels=[*channels, *args.notification_channels],
            user_labels=args.labels,
            opts=self._child(),
        )
        self.filter = pulumi.Output.from_input(unexpected)
        self.alert_policy = policy.name
        self.register_outputs({"filter": self.filter, "alertPolicy": self.alert_policy})


def unexpected_access(principals: Sequence[str], domains: Sequence[str]) -> str:
    """Return the filter of accesses to Healthcare data by principals that are not listed.

    Args:
        principals: e-mail addresses
        domains: of e-mail addresses
    """
    expected = [_escaped(address) for address in principals]
    expected += [f"[^@]+@{_escaped(domain)}" for domain in domains]
    return (
        'log_id("cloudaudit.googleapis.com/data_access") '
        f'AND protoPayload.serviceName="{HEALTHCARE}" '
        f'AND NOT protoPayload.authenticationInfo.principalEmail=~"^({"|".join(expected)})$"'
    )


def _escaped(text: str) -> str:
    # A class of one character needs no backslash, which a quoted text would need twice.
    return re.sub(r"[.+]", lambda match: f"[{match[0]}]", text)
