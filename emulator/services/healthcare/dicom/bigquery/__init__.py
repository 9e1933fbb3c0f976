"""BigQuery streams and table layouts of DICOM stores."""
