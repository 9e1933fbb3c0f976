"""DICOM bytes to records; holds no state."""
