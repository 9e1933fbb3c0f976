"""Identification of cloud resources, and whether they exist."""
