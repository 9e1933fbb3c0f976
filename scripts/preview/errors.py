"""The error of this package."""


class PreviewInputError(Exception):
    """The error of a text that is not a preview, with the cause and what to do.

    The message never quotes the text: a preview may hold secret values.
    """
