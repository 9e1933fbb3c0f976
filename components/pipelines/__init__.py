"""Pipelines on Dataflow: the account of their workers, and the bucket of their runs."""
