"""Errors of starting and stopping the emulator."""


class EmulatorError(Exception):
    """The emulator can't be started, found or stopped; the message says why and what to do."""
