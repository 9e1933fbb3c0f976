"""Pulumi components for medical imaging on Google Cloud."""
