"""Runs of pipelines on Dataflow: launched, followed, cancelled, resumed."""
