"""A guarded way in: a reverse proxy for DICOMweb, FHIR and the viewer."""
