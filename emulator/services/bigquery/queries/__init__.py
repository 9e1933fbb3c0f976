"""Queries as BigQuery answers them, where bqemulator's answers differ."""
