"""Shared parts of the scripts: clients, retries, operations, progress, stack names, errors."""
