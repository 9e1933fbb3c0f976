"""Pipelines of Beam beside plain scripts of the same work."""
