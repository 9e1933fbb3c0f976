"""Ingest: DICOM files of any number below a prefix of Cloud Storage, into a DICOM store."""
