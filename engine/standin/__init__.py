"""Offline stand-in of the Google Cloud resource plugin (`pulumi-resource-gcp`).

It manages the same resource types, with the same ids, inputs and outputs, but on loopback
endpoints only: it is for machines where the real plugin cannot be had. See `docs/stand-in.md`.
"""

VERSION = "10.2.0"
"""The version of the plugin that it stands in for."""
