"""De-identification of DICOM stores and of whole datasets.

https://cloud.google.com/healthcare-api/docs/how-tos/dicom-deidentify
"""
