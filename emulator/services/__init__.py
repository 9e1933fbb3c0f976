"""One package for each emulated Google service."""
