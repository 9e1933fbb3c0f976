"""Run a pipeline in its own environment: `python -m pipelines ingest --help`."""

import sys

from environments.locked import EnvironmentSetupError
from pipelines import supervisor
from pipelines.environment import ENVIRONMENT

NAMES = ("ingest", "features", "cohort")
_FAILED, _USAGE = 1, 2


def main(arguments: list[str]) -> int:
    """Run the pipeline that the first argument names; return its exit code."""
    if not arguments or arguments[0] not in NAMES:
        sys.stderr.write(f"usage: python -m pipelines {{{','.join(NAMES)}}} [--help] ...\n")
        return _USAGE
    try:
        interpreter = ENVIRONMENT.ensure()
    except EnvironmentSetupError as error:
        sys.stderr.write(f"error: {error}\n")
        return _FAILED
    name, *options = arguments
    return supervisor.run([str(interpreter), "-P", "-m", f"pipelines.{name}", *options])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
