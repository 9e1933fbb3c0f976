"""The error of the package `engine`."""


class EngineError(Exception):
    """The engine can't be installed or used; the message names the cause and what to do."""
