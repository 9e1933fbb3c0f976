"""The DIMSE adapter: modalities and archives in front, a DICOM store of Google Cloud behind."""
