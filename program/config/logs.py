"""Settings of audit logs beyond what is logged: their copy, and the alert on unexpected access."""

from typing import Annotated

from components import rules
from program.config.model import Model, follows

Email = Annotated[str, follows(rules.email)]


class AuditLogSinkSettings(Model):
    """A log sink that copies audit logs."""

    destination: Annotated[str, follows(rules.own_or_log_destination)] | None = None
    """Where the entries go: `bigqueryDataset` (the own one), bq://PROJECT.DATASET or gs://BUCKET."""
    name: Annotated[str, follows(rules.log_sink)] = "audit-logs"
    """The name of the sink, unique in the project."""
    filter: str | None = None
    """The entries to copy, in the language of Logs Explorer; all audit logs if not given."""


class AccessAlertSettings(Model):
    """An alert on reads and writes of health data by principals that are not listed."""

    metric: Annotated[str, follows(rules.log_sink)] = "unexpected-patient-data-access"
    """The name of the log-based metric that counts them, unique in the project."""
    allowed_principals: list[Email] = []
    """The e-mail addresses of the people and service accounts whose access is expected."""
    allowed_domains: list[Annotated[str, follows(rules.domain)]] = []
    """The domains whose addresses are expected."""
    emails: list[Email] = []
    """The addresses to notify."""
    notification_channels: list[Annotated[str, follows(rules.notification_channel)]] = []
    """The full names of existing notification channels to notify."""

    @property
    def allowed(self) -> list[str]:
        """The principals and domains whose access is expected; none if there is no alert."""
        return [*self.allowed_principals, *self.allowed_domains]
