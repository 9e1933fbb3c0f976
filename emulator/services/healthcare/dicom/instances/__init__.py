"""Stored DICOM instances: metadata rows and files."""
