"""The public buckets, which anyone may read."""

BUCKET = "gcs-public-data--healthcare-nih-chest-xray"
"""Chest x-rays, as Google publishes them."""
PATIENTS_BUCKET = "synthetic-chest-xray-patients"
"""FHIR resources about these x-rays. It is local: Google Cloud has no bucket like it."""
BUCKETS = (BUCKET, PATIENTS_BUCKET)
