"""The errors of the stand-in: each names the culprit and says what to do."""


class StandInError(Exception):
    """An error for people: the text says what is wrong, and how to fix it."""


class CancelledError(StandInError):
    """The engine asked for an end (Ctrl-C) while a call was under way."""


class VanishedError(StandInError):
    """A resource was created, and the read after it does not find it."""


class ApiError(StandInError):
    """An HTTP error of a Google API, worded as Google's Go client words it.

    Attributes:
        code: HTTP status.
        message: the API's own text.
        reason: the API's short reason (`alreadyExists`, ...), or its status, or empty.
    """

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        self.code = code
        self.message = message
        self.reason = reason
        super().__init__(f"googleapi: Error {code}: {message}" + (f", {reason}" if reason else ""))


class PartialError(StandInError):
    """The resource exists, but what came after its creation failed.

    Attributes:
        id: id of the resource, to be kept in the state so that it is not lost.
        state: what is known of its outputs.
    """

    def __init__(self, message: str, id_: str, state: dict[str, object]) -> None:
        super().__init__(message)
        self.id = id_
        self.state = state
