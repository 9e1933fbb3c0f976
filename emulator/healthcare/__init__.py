"""The Cloud Healthcare API."""
