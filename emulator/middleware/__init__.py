"""ASGI middleware of the emulator."""
