"""The figures of the table: medians, ratios, goals."""

import io

import pytest
from rich.console import Console

from benchmarks import comparison
from benchmarks.comparison import Row


def test_both_sides_take_turns_and_the_warm_up_does_not_count() -> None:
    order: list[str] = []

    def side(name: str, figures: list[float]) -> float:
        order.append(name)
        return figures.pop(0)

    mine, theirs = [1000.0, 3, 1, 2], [0.0, 10, 30, 20]
    found = comparison.in_turns(lambda: side("a", mine), lambda: side("b", theirs), rounds=3)
    assert [*found] == [2, 20]
    assert "".join(order) == "abababab"


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (comparison.rate("w", 150, 100, "files/s", 1.5), True),
        (comparison.rate("w", 149, 100, "files/s", 1.5), False),
        (comparison.duration("w", 1.5, 1, 1.5), True),
        (comparison.duration("w", 1.6, 1, 1.5), False),
        (comparison.delay("w", 2.0, 1, 1.0), True),
        (comparison.delay("w", 2.1, 1, 1.0), False),
        (comparison.overhead("w", 0.29, 0.1), True),
        (comparison.overhead("w", 5, 60), True),
        (comparison.overhead("w", 6, 60), False),
        (comparison.ceiling("w", 599, 600, "MB"), True),
        (comparison.ceiling("w", 600, 600, "MB"), False),
        (comparison.floor("w", 500, 500, "/s"), True),
        (comparison.floor("w", 499, 500, "/s"), False),
    ],
)
def test_a_goal_is_met_or_missed(row: Row, met: bool) -> None:
    assert row.met is met


def test_the_table_shows_both_figures_the_ratio_the_goal_and_the_verdict() -> None:
    rows = [
        comparison.rate("storing", 496.2, 798.4, "files/s", 1.5),
        comparison.delay("starting", 2.46, 1.71, 1.0),
    ]
    page = io.StringIO()
    Console(file=page, width=120).print(comparison.table(rows))
    lines = [
        [cell.strip() for cell in line.strip("│ \n").split("│")]
        for line in page.getvalue().splitlines()
        if line.startswith("│")
    ]
    assert lines == [
        ["storing", "496", "798", "files/s", "0.62", "at least 1.5 times", "missed"],
        ["starting", "2.46", "1.71", "s", "1.44", "at most 1 s more", "met"],
    ]


@pytest.mark.parametrize(
    ("value", "text"), [(0.043, "0.04"), (9.994, "9.99"), (22.64, "22.6"), (798.4, "798")]
)
def test_a_figure_has_the_digits_that_count(value: float, text: str) -> None:
    assert comparison.figure(value) == text
