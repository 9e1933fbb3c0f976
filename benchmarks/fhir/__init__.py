"""Measurements of FHIR stores."""
