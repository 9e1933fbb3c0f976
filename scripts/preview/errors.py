"""The one exception of this package."""


class PreviewInputError(Exception):
    """The text can't be read as a preview; the message says why and what to do about it.

    The message never quotes the text: a preview may hold values that nobody should see.
    """
