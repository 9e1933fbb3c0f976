"""Timestamps and durations in JSON."""

import re
from datetime import UTC, datetime

import pytest

from emulator.core import timestamps


def test_now_is_in_utc_with_a_fixed_number_of_digits() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", timestamps.now())
    assert re.fullmatch(r".*\.\d{3}Z", timestamps.now("milliseconds"))
    whole = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert timestamps.to_rfc3339(whole) == "2026-01-31T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0.0), ("1.5s", 1.5), ("600s", 600.0), ("0.000000001s", 1e-9)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert timestamps.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "1", "1.s", ".5s", "-1s", "1_0s", " 1s", "1h", "1.0000000001s", "٣s", "1s\n"]
)
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid duration"):
        timestamps.parse_duration(text)
