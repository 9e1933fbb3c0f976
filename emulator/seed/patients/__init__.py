"""The local bucket of FHIR resources about the chest x-rays: synthetic patients, no real person."""

from emulator.seed.patients.bucket import ensure_patients_bucket, object_names

__all__ = ["ensure_patients_bucket", "object_names"]
