"""Two sides measured in turns, and the line of the table that they end in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from rich.table import Table

ROUNDS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        work: what was done.
        ours: our figure.
        peer: the figure it is compared with.
        unit: of both.
        goal: what was to be reached, in words.
        met: whether it was.
    """

    work: str
    ours: float
    peer: float
    unit: str
    goal: str
    met: bool

    @property
    def ratio(self) -> float:
        """Ours by the peer's."""
        return self.ours / self.peer


def rate(work: str, ours: float, peer: float, unit: str, minimum: float) -> Row:
    """Compare rates: ours is to be so many times the peer's."""
    return Row(work, ours, peer, unit, f"at least {minimum:g} times", ours >= minimum * peer)


def duration(work: str, ours: float, peer: float, maximum: float) -> Row:
    """Compare seconds: ours may be so many times the peer's."""
    return Row(work, ours, peer, "s", f"at most {maximum:g} times", ours <= maximum * peer)


def delay(work: str, ours: float, peer: float, maximum: float, unit: str = "s") -> Row:
    """Compare times: ours may be so much more than the peer's."""
    return Row(work, ours, peer, unit, f"at most {maximum:g} {unit} more", ours <= peer + maximum)


def overhead(work: str, ours: float, peer: float) -> Row:
    """Compare seconds: ours come on top of the peer's, and may be a tenth of them, or few."""
    met = ours < 0.1 * peer or ours < 0.3
    return Row(work, ours, peer, "s", "under 0.1 times or 0.3 s", met)


def ceiling(work: str, ours: float, maximum: float, unit: str) -> Row:
    """Compare with a figure that must not be reached."""
    return Row(work, ours, maximum, unit, f"under {maximum:g} {unit}", ours < maximum)


def floor(work: str, ours: float, minimum: float, unit: str) -> Row:
    """Compare with a figure that is to be reached."""
    return Row(work, ours, minimum, unit, f"at least {minimum:g} {unit}", ours >= minimum)


def in_turns(
    ours: Callable[[], float], peer: Callable[[], float], rounds: int = ROUNDS
) -> tuple[float, float]:
    """Measure both sides in turns, so that whatever else the machine does meets both.

    The first turn of each warms up and is not counted.

    Returns:
        The median of each side.
    """
    mine, theirs = [], []
    for _ in range(rounds + 1):
        mine.append(ours())
        theirs.append(peer())
    return median(mine[1:]), median(theirs[1:])


def table(rows: Iterable[Row]) -> Table:
    """Show rows with both figures, the ratio, the goal and whether it was met."""
    drawn = Table("work", "ours", "peer", "unit", "ratio", "goal", "", title="Side by side")
    for column in drawn.columns[1:3]:
        column.justify = "right"
    for row in rows:
        figures = (figure(row.ours), figure(row.peer), row.unit, f"{row.ratio:.2f}")
        drawn.add_row(row.work, *figures, row.goal, "met" if row.met else "missed")
    return drawn


def figure(value: float) -> str:
    """Write a figure with about three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
