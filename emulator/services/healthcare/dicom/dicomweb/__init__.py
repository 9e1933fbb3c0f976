"""The DICOMweb HTTP interface of DICOM stores (PS3.18)."""
