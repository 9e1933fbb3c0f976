"""What the control calls ask of the services beside the emulator's own."""

from typing import Protocol


class Services(Protocol):
    """BigQuery and Cloud Storage, as the control calls see them."""

    def ready(self) -> bool:
        """Whether they can be used."""

    def trouble(self) -> str:
        """What keeps them from it for good; empty if nothing does."""

    def states(self) -> dict[str, str]:
        """The state of each, in a word."""

    def seed(self) -> None:
        """Fill what is missing in the public bucket."""

    def reset(self) -> None:
        """Empty them, but for the public bucket."""


class NoNeighbours:
    """Where the application runs without the others, as it does in tests."""

    def ready(self) -> bool:
        """There is nothing to wait for."""
        return True

    def trouble(self) -> str:
        """There is none."""
        return ""

    def states(self) -> dict[str, str]:
        """There are none."""
        return {}

    def seed(self) -> None:
        """There is no bucket."""

    def reset(self) -> None:
        """There is nothing to empty."""
