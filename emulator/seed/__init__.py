"""The local copy of Google's public chest x-ray bucket: true metadata, synthetic pixels."""
