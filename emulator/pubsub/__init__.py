"""Pub/Sub: topics."""
