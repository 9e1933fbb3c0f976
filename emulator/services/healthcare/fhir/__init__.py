"""FHIR stores: their resources, searches, and operations on their content."""
