"""Long-running operations of FHIR stores."""
