"""Clients and calls of Google Cloud APIs."""
