"""Set up the pack's own virtual environment: `python -m policy.environment`.

The engine runs the pack with it. It takes seconds the first time and nothing after that, until the
lock file changes.
"""

import sys
from pathlib import Path

from environments.locked import LockedEnvironment

ENVIRONMENT = LockedEnvironment(Path(__file__).resolve().parent, "the policy pack", "a few seconds")

if __name__ == "__main__":
    sys.exit(ENVIRONMENT.main())
