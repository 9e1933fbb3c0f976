"""The base of every service of the emulator; imports no service."""
