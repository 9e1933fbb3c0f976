"""Checks of FHIR stores."""

from conformance.check import Check
from conformance.checks.fhir import bulk, resources, searches

CHECKS: tuple[Check, ...] = (*resources.CHECKS, *bulk.CHECKS, *searches.CHECKS)
