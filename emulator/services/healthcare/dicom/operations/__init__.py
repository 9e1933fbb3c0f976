"""Long-running operations on DICOM stores."""
