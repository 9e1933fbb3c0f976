"""Pipelines of Apache Beam over DICOM: the same code on this machine, on Dataflow, Flink and Spark.

Beam needs older packages than the rest of this repository: the pipelines run in an environment of
their own, `pipelines/.venv`. `python -m pipelines NAME` makes it and runs a pipeline in it.
"""
