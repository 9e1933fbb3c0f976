"""Resources of FHIR stores in the database: current versions, history, references."""
