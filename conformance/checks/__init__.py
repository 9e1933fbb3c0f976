"""The checks, by area; `ALL` is in the order in which they run."""

from conformance.check import Check
from conformance.checks import (
    accounts,
    audit,
    data_services,
    exports,
    frames,
    iam,
    imports,
    metadata,
    notifications,
    operations,
    pictures,
    pubsub,
    resources,
    searches,
    storing,
)

ALL: tuple[Check, ...] = (
    *resources.CHECKS,
    *searches.CHECKS,
    *metadata.CHECKS,
    *frames.CHECKS,
    *pictures.CHECKS,
    *storing.CHECKS,
    *imports.CHECKS,
    *exports.CHECKS,
    *operations.CHECKS,
    *notifications.CHECKS,
    *iam.CHECKS,
    *accounts.CHECKS,
    *audit.CHECKS,
    *pubsub.CHECKS,
    *data_services.CHECKS,
)
"""Every check; a unit test compares it with the comments in `emulator/`."""
