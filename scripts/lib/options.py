"""Options that several scripts share, as values; importing it costs nothing."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_STACK = "local"


@dataclass(frozen=True)
class Choice:
    """The options that name the resources to work on; None for one that was not given."""

    stack: str | None = None
    project: str | None = None
    location: str | None = None
    dataset: str | None = None
    store: str | None = None

    @property
    def explicit(self) -> bool:
        """Whether the options alone name everything, so that no stack is needed."""
        names = (self.project, self.location, self.dataset, self.store)
        return self.stack is None and all(names)

    @property
    def flags(self) -> list[str]:
        """The options that make another script work on the same resources."""
        return [
            part
            for name in ("stack", "project", "location", "dataset", "store")
            if (value := getattr(self, name)) is not None
            for part in (f"--{name}", value)
        ]


@dataclass(frozen=True)
class Following:
    """The options that say how to follow an operation.

    Attributes:
        resume: an operation that runs already; None to start one
        no_wait: print the operation's name and leave it running
        timeout: seconds to follow it; None follows it to its end
    """

    resume: str | None = None
    no_wait: bool = False
    timeout: float | None = None
