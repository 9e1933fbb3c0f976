"""Containers whose images are known here, run as child processes of the emulator."""
