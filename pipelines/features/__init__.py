"""Features of instances, as rows of a table of BigQuery."""
