"""Artifact Registry: repositories as settings; the local Google Cloud stores no images."""
