"""Runs a command that ends when the process that started it ends, however that ends.

`python tether.py PARENT COMMAND...`. Linux sends the signal; elsewhere a killed emulator leaves its
children behind. Standard library only: it must start in no time.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the tie was made
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell: it becomes the command itself


if __name__ == "__main__":
    main()
