"""The checks, by area; `ALL` is in the order in which they run."""

from conformance.check import Check
from conformance.checks import (
    accounts,
    audit,
    consents,
    data_services,
    exports,
    fhir,
    frames,
    hl7v2,
    hl7v2_bulk,
    hl7v2_schemas,
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
    *hl7v2.CHECKS,
    *hl7v2_bulk.CHECKS,
    *hl7v2_schemas.CHECKS,
    *fhir.CHECKS,
    *consents.CHECKS,
    *iam.CHECKS,
    *accounts.CHECKS,
    *audit.CHECKS,
    *pubsub.CHECKS,
    *data_services.CHECKS,
)
"""Every check; a unit test compares it with the comments in `emulator/`."""
