import os
import signal
import threading

import pytest
from pulumi.automation import _cmd
from pulumi.automation.errors import (
    ConcurrentUpdateError,
    StackNotFoundError,
    create_command_error,
)

from scripts.lib.pulumi_command import CommandResult, finish_before_interrupt


@pytest.mark.parametrize(
    ("stderr", "is_missing", "is_locked"),
    [
        ("error: no stack named 'dev' found", True, False),
        ("error: the stack is currently locked by 1 lock(s)", False, True),
        ("[409] Conflict: Another update is currently in progress.", False, True),
        ("error: incorrect passphrase", False, False),
    ],
)
def test_errors_are_read_as_the_automation_api_reads_them(
    stderr: str, is_missing: bool, is_locked: bool
) -> None:
    done = CommandResult(255, "", stderr)
    assert (done.is_stack_missing, done.is_locked) == (is_missing, is_locked)
    theirs = create_command_error(_cmd.CommandResult("", stderr, 255))
    assert isinstance(theirs, StackNotFoundError) is is_missing
    assert isinstance(theirs, ConcurrentUpdateError) is is_locked
    succeeded = CommandResult(0, "", stderr)
    assert not succeeded.is_stack_missing
    assert not succeeded.is_locked


def test_error_lines_are_named_once() -> None:
    done = CommandResult(1, "noise\n  error: busy\n", "error: gone \nerror: busy\n")
    assert done.errors == ["error: gone", "error: busy"]


def test_ctrl_c_lets_pulumi_finish_first() -> None:
    ended = []

    def act() -> None:
        # As from a terminal: the signal comes while Pulumi works, and Pulumi ends by itself.
        threading.Event().wait(0.05)
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(0.05)
        ended.append("deployed")
        raise ValueError

    with pytest.raises(KeyboardInterrupt):
        finish_before_interrupt(act)
    assert ended == ["deployed"]
