"""The one error of the engine's room."""


class EngineError(Exception):
    """The engine can't be had or used here; the message names the culprit and the cure."""
