"""Rules for log sinks and alerts: destinations, principals, domains, channels.

Sources: the REST references of Cloud Logging (names and destinations of sinks, names of metrics)
and Cloud Monitoring (names of notification channels).
"""

import re

from components.rules.references import OWN_DATASET

_SINK = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_DATASET = re.compile(r"bq://[a-z][a-z0-9:.-]+\.[A-Za-z0-9_]+")
_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_EMAIL = re.compile(r"[^@\s:\"'\\/]+@[^@\s:\"'\\/]+\.[a-zA-Z]+")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_CHANNEL = re.compile(r"projects/[^/]+/notificationChannels/[0-9]+")


def log_sink(value: str) -> str | None:
    """Return the name of a log sink or of a log-based metric."""
    if _SINK.fullmatch(value):
        return None
    return (
        "is not the name of a log sink. Allowed: 1 to 100 letters, digits, underscores, hyphens "
        "and dots, beginning with a letter or a digit."
    )


def log_destination(value: str) -> str | None:
    """Return the BigQuery dataset or the bucket that a log sink writes to."""
    if _DATASET.fullmatch(value) or _BUCKET.fullmatch(value):
        return None
    return "is not a destination of logs. Allowed: bq://PROJECT.DATASET or gs://BUCKET."


def own_or_log_destination(value: str) -> str | None:
    """Return the stack's own BigQuery dataset, or another destination of a log sink."""
    if value == OWN_DATASET or log_destination(value) is None:
        return None
    return (
        f"is not a destination of logs. Allowed: {OWN_DATASET}, bq://PROJECT.DATASET or "
        "gs://BUCKET."
    )


def email(value: str) -> str | None:
    """Return an e-mail address, as audit logs name a principal."""
    if _EMAIL.fullmatch(value):
        return None
    bare = value.rpartition(":")[2]
    hint = f' Did you mean "{bare}"?' if bare != value and _EMAIL.fullmatch(bare) else ""
    return (
        f"is not an e-mail address.{hint} Allowed: the address of a person or a service account, "
        "without a type such as user:. Logs name no groups."
    )


def domain(value: str) -> str | None:
    """Return the domain of e-mail addresses."""
    if _DOMAIN.fullmatch(value):
        return None
    bare = value.rpartition("@")[2].lower()
    hint = f' Did you mean "{bare}"?' if bare != value and _DOMAIN.fullmatch(bare) else ""
    return f"is not a domain.{hint} Allowed: lower-case names with dots, such as example.com."


def notification_channel(value: str) -> str | None:
    """Return the full name of a notification channel."""
    if _CHANNEL.fullmatch(value):
        return None
    return (
        "is not a notification channel. Allowed: projects/PROJECT/notificationChannels/NUMBER, as "
        "`gcloud beta monitoring channels list` shows it."
    )
