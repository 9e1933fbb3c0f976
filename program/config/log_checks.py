"""Errors between the settings of audit logs."""

from collections.abc import Iterator, Mapping

from program.config.errors import ConfigError
from program.config.raw import Raw, texts

_READS = "DATA_READ"


def log_errors(raw: Raw, full_key: Mapping[str, str]) -> Iterator[ConfigError]:
    """Yield the errors of the log sink and of the alert on access.

    Args:
        raw: the values by alias
        full_key: alias -> full key
    """
    sink, alert = raw.get("auditLogSink"), raw.get("accessAlert")
    if isinstance(sink, dict) and sink and not sink.get("destination"):
        yield ConfigError(
            f"{full_key['auditLogSink']}.destination",
            "is missing. Allowed: bigqueryDataset, bq://PROJECT.DATASET or gs://BUCKET.",
        )
    if not isinstance(alert, dict) or not alert:
        return
    if not alert.get("allowedPrincipals") and not alert.get("allowedDomains"):
        yield ConfigError(
            full_key["accessAlert"],
            "lists no principal, so every access would notify. Allowed: allowedPrincipals, "
            "allowedDomains or both.",
        )
    if not alert.get("emails") and not alert.get("notificationChannels"):
        yield ConfigError(
            full_key["accessAlert"],
            "notifies no address and no channel. Allowed: emails, notificationChannels or both.",
        )
    if _READS not in texts(raw.get("auditLogs")):
        yield ConfigError(
            full_key["accessAlert"],
            f"has no effect without {_READS} in {full_key['auditLogs']}: reads are not logged. "
            "Add it there.",
        )
