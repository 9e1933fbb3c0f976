"""Checks of FHIR stores."""

from conformance.check import Check
from conformance.checks.fhir import (
    bulk,
    consents,
    deidentification,
    previews,
    recovery,
    resources,
    searches,
    streams,
)

CHECKS: tuple[Check, ...] = (
    *resources.CHECKS,
    *bulk.CHECKS,
    *searches.CHECKS,
    *recovery.CHECKS,
    *previews.CHECKS,
    *streams.CHECKS,
    *deidentification.CHECKS,
    *consents.CHECKS,
)
