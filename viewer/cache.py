"""The folder of this user's cache that holds the viewer."""

from pathlib import Path

from viewer.release import VERSION


def cache_dir() -> Path:
    """Return the folder of the user's cache that holds the viewer."""
    import platformdirs  # takes 10 ms, which the emulator's start does not wait for

    return platformdirs.user_cache_path("gcp-healthcare-dicom") / "viewer"


def folder() -> Path:
    """Return the folder of this release's files, which exists once they are all there."""
    return cache_dir() / VERSION
