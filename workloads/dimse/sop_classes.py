"""UIDs of the SOP classes of the adapter (PS3.6 A): pynetdicom's own names have no types."""

VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
STORAGE_COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"
_MODELS = "1.2.840.10008.5.1.4.1.2"
PATIENT_ROOT = (f"{_MODELS}.1.1", f"{_MODELS}.1.2", f"{_MODELS}.1.3")
"""Query/Retrieve Information Model: C-FIND, C-MOVE, C-GET."""
STUDY_ROOT = (f"{_MODELS}.2.1", f"{_MODELS}.2.2", f"{_MODELS}.2.3")
