"""Calls about the emulator itself."""
