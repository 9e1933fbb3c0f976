from datetime import UTC, datetime, timedelta

import pytest

from scripts.destroy import age
from scripts.lib.errors import UsageError

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("8h", timedelta(hours=8)),
        (" 2d ", timedelta(days=2)),
    ],
)
def test_durations(text: str, meant: timedelta) -> None:
    assert age.parse_duration(text) == meant


@pytest.mark.parametrize(
    "text", ["", "8", "h", "8 h", "8H", "8w", "-8h", "+8h", "0d", "1e3s", "٣h"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        age.parse_duration(text)
    assert "30m, 8h or 2d" in caught.value.hint


def test_the_last_update_of_a_history() -> None:
    history = [
        {"kind": "refresh", "startTime": "2026-11-23T17:00:00.000Z"},
        {"kind": "destroy", "startTime": "2026-11-23T16:00:00.000Z"},
        {"kind": "update", "startTime": "2026-11-23T10:00:00.000Z", "result": "failed"},
        {
            "kind": "resource-import",
            "startTime": "2026-11-23T09:00:00.000Z",
            "endTime": "2026-11-23T11:00:00.000Z",
        },
        {"kind": "update", "startTime": "2026-11-20T10:00:00.000Z"},
    ]
    assert age.last_update(history) == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert age.last_update(history[:2]) is None
    assert age.last_update([]) is None


def test_old_enough_is_exactly_that_old() -> None:
    last = NOW - timedelta(hours=8)
    assert age.too_young(last, timedelta(hours=8), NOW) == ""
    reported = age.too_young(last, timedelta(hours=8, seconds=1), NOW)
    assert reported == "it was last updated 8 h ago (2026-11-23 10:00 UTC), not 8 h 1 s"


def test_a_clock_that_runs_ahead_makes_no_stack_old() -> None:
    assert "0 s ago" in age.too_young(NOW + timedelta(minutes=5), timedelta(minutes=1), NOW)


@pytest.mark.parametrize(
    ("length", "reported"),
    [
        (timedelta(days=2, hours=3, minutes=4), "2 d 3 h"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(), "0 s"),
    ],
)
def test_durations_for_people(length: timedelta, reported: str) -> None:
    assert age.format_duration(length) == reported
