"""The local copy of Google's public bucket of chest X-rays: real metadata, synthetic pixels."""

from emulator.seed.bucket import SeedError, ensure_public_bucket

__all__ = ["SeedError", "ensure_public_bucket"]
