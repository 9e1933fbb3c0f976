"""Checks of FHIR stores."""

from conformance.check import Check
from conformance.checks.fhir import resources

CHECKS: tuple[Check, ...] = (*resources.CHECKS,)
