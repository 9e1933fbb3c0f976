"""Clients for Cloud Storage and BigQuery, used by imports, exports and streams."""
