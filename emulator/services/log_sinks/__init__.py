"""Routing of log entries: what sinks write into BigQuery tables and into buckets."""
