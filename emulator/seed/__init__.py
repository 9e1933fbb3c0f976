"""The local copy of Google's public chest x-ray bucket: true metadata, synthetic pixels."""

from emulator.seed.bucket import BUCKET, SeedError, ensure_public_bucket

__all__ = ["BUCKET", "SeedError", "ensure_public_bucket"]
