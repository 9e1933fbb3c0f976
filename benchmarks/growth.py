"""How preview and up grow with the number of stores, beside a plain Pulumi program."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clones import clone, run

PYTHON = ".venv/bin/python"
SIZES = (1, 10, 100, 300)
TURNS = 3
GOAL = 1.2
"""How much longer than the plain program ours may take, at every size."""


@dataclass(frozen=True)
class Growth:
    """One line of the table: what was done with how many stores, in seconds of each program."""

    work: str
    stores: int
    ours: float
    plain: float

    @property
    def ratio(self) -> float:
        """Ours by the plain one."""
        return self.ours / self.plain


@dataclass(frozen=True)
class _Program:
    """One of the two programs, with a stack of its own."""

    checkout: Path
    environment: Mapping[str, str]
    folder: str
    namespace: str
    stack: str

    def configure(self, stores: int) -> None:
        names = [{"name": f"store{number}"} for number in range(stores)]
        config = {"gcp:project": self.stack, f"{self.namespace}:dicomStores": names}
        if not self.folder.endswith("plain"):
            config[f"{self.namespace}:bigqueryDeleteContents"] = "true"
        text = json.dumps({"config": config})  # JSON is YAML
        (self.checkout / self.folder / f"Pulumi.{self.stack}.yaml").write_text(text)

    def pulumi(self, *arguments: str) -> float:
        """Run the engine; seconds."""
        prefix = [PYTHON, "-m", "engine", "run", "--stack", self.stack, "--", "pulumi"]
        command = [*prefix, "-C", self.folder, *arguments, "--non-interactive"]
        return run(command, self.checkout, self.environment)

    def preview(self) -> float:
        return self.pulumi("preview", "--stack", self.stack)

    def up(self) -> float:
        return self.pulumi("up", "--yes", "--skip-preview", "--stack", self.stack)

    def destroy(self) -> None:
        self.pulumi("destroy", "--yes", "--skip-preview", "--stack", self.stack)


def measure_growth(report: Callable[[str], None]) -> Iterator[Growth]:
    """Yield each comparison as soon as it is known.

    The programs take turns, so that whatever else the machine does meets both; the fastest of
    three turns counts, which it disturbed least.

    Args:
        report: told what is being measured.
    """
    with clone(empty_home=False) as (checkout, environment):
        report("setting up a clone with the caches of this machine")
        run(["make", "setup"], checkout, environment)
        run([PYTHON, "-m", "engine", "install"], checkout, environment)
        ours = _Program(checkout, environment, ".", "gcp-healthcare-dicom", "local-ours")
        plain = _Program(checkout, environment, "benchmarks/plain", "plain", "local-plain")
        for program in (ours, plain):
            program.configure(1)
            program.pulumi("stack", "init", program.stack)
            program.preview()  # once for the caches
        for stores in SIZES:
            report(f"{stores} stores, both programs in turns")
            yield from _compare(ours, plain, stores)


def _compare(ours: _Program, plain: _Program, stores: int) -> Iterator[Growth]:
    steps: dict[str, Callable[[_Program], float]] = {
        "preview, all new": _Program.preview,
        "up, all new": _Program.up,
        "preview, no change": _Program.preview,
        "up, no change": _Program.up,
    }
    seconds: dict[tuple[str, str], list[float]] = {}
    for program in (ours, plain):
        program.configure(stores)
    for _ in range(TURNS):
        for work, step in steps.items():
            for program in (ours, plain):
                seconds.setdefault((work, program.stack), []).append(step(program))
        for program in (ours, plain):
            program.destroy()
    for work in steps:
        mine, theirs = (min(seconds[work, program.stack]) for program in (ours, plain))
        yield Growth(work, stores, mine, theirs)
