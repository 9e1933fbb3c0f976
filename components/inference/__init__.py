"""Inference on Google Cloud: new instances of a DICOM store are measured."""
