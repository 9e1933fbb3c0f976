"""Consent enforcement of FHIR stores: which resources a caller may read.

https://cloud.google.com/healthcare-api/docs/fhir-consent and
https://cloud.google.com/healthcare-api/docs/fhir-access-control-technical
"""
