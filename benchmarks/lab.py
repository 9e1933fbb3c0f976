"""Duration of the lab and of a preview, cold and warm."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clones import clone, run

PYTHON = ".venv/bin/python"
MAKE_LAB = ["make", "lab", "STACK=local"]
PREVIEW = f"{PYTHON} -m engine run --stack local -- pulumi preview --diff --stack local".split()


@dataclass(frozen=True)
class Measurement:
    """One line of the table: seconds measured beside the goal in seconds."""

    work: str
    seconds: float
    goal: float
    phases: dict[str, float]


def _phases(checkout: Path) -> dict[str, float]:
    """Return the seconds of each phase from the lab's summary."""
    seconds: dict[str, float] = json.loads((checkout / ".lab/summary.json").read_text())["seconds"]
    return seconds


def measure(*, cold: bool, report: Callable[[str], None]) -> Iterator[Measurement]:
    """Yield each measurement when it ends.

    Args:
        cold: whether to measure an empty HOME with empty caches too, which builds the engine
        report: called with what is measured next
    """
    if cold:
        report("make lab on an empty machine: environment, engine, lab (minutes)")
        with clone(empty_home=True) as (checkout, environment):
            seconds = run(MAKE_LAB, checkout, environment)
            yield Measurement("make lab, cold", seconds, 300, _phases(checkout))
    with clone(empty_home=False) as (checkout, environment):
        report("setting up a clone with the caches of this machine")
        run(["make", "setup"], checkout, environment)
        run([PYTHON, "-m", "engine", "install"], checkout, environment)
        report("make lab, engine and environment present")
        seconds = run(MAKE_LAB, checkout, environment)
        yield Measurement("make lab, warm", seconds, 30, _phases(checkout))
        report("make lab again, nothing to do")
        seconds = run(MAKE_LAB, checkout, environment)
        yield Measurement("make lab, again", seconds, 6, _phases(checkout))
        report("pulumi preview")
        yield Measurement("pulumi preview --diff", run(PREVIEW, checkout, environment), 5, {})
        run(["make", "lab-down", "STACK=local"], checkout, environment)
