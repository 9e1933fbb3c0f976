"""Set up the pipelines' own virtual environment: `python -m pipelines.environment`.

Apache Beam needs older packages than the rest of this repository.
"""

import sys
from pathlib import Path

from environments.locked import LockedEnvironment

ENVIRONMENT = LockedEnvironment(Path(__file__).resolve().parent, "Apache Beam", "some 600 MB, once")

if __name__ == "__main__":
    sys.exit(ENVIRONMENT.main())
