"""DICOM stores' contents: import, export and DICOMweb."""
