"""Bundles of requests: batches, transactions and histories."""
