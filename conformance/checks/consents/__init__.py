"""Checks of consent stores."""

from conformance.check import Check
from conformance.checks.consents import evaluations, records

CHECKS: tuple[Check, ...] = (*records.CHECKS, *evaluations.CHECKS)
