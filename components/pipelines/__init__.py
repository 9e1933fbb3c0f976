"""Pipelines on Dataflow: account and network of their workers, templates, bucket of the runs."""
