"""Scripts for deployed stacks; one runnable module a task."""

import sys
from types import TracebackType

_show_traceback = sys.excepthook


def _show_uncaught(
    type_: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Print no traceback for a Ctrl-C during the imports of a script."""
    if issubclass(type_, KeyboardInterrupt):
        sys.stderr.write("error: Interrupted.\n")
    else:
        _show_traceback(type_, error, traceback)


sys.excepthook = _show_uncaught
