"""Filters of messages, in lists, exports and notifications.

The fields and operators are documented in the reference of `messages.list`. Inferred (conformance:
hl7v2-filter-text): names in camel case are those in snake case, texts are searched without regard
to case, and the texts of refusals.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from emulator.core.list_filter.fields import Label, Test, Timestamp
from emulator.core.list_filter.table import FieldTable, Filter

_SIGNS = frozenset({"=", "<", "<=", ">", ">="})
_ARGUMENTS = 2
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


class _Search:
    """A text that is searched within a field, in capital or small letters."""

    operators = frozenset({"="})

    def test(self, _sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        folded = wanted.casefold()
        return lambda found: any(folded in str(each).casefold() for each in found)


class _Day:
    """A day, `YYYY-MM-DD`, compared with days of the same form."""

    operators = _SIGNS

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        try:
            if not _DAY.fullmatch(wanted):
                raise ValueError(wanted)
            date.fromisoformat(wanted)
        except ValueError:
            raise ValueError("a day such as 2026-01-31") from None
        compare = _COMPARE[sign]
        return lambda found: any(compare(each, wanted) for each in found)


_COMPARE: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _patient_id(arguments: Sequence[str]) -> Filter:
    if len(arguments) != _ARGUMENTS:
        raise ValueError('takes a value and a type, as in PatientId("123456", "MRN")')
    wanted = {"value": arguments[0], "type": arguments[1]}
    return lambda message: wanted in message.get("patientIds", [])


_TIME = Timestamp(operators=_SIGNS)
_TABLE = FieldTable(
    usage=(
        "fields are message_type, send_date, send_time, create_time, send_facility, labels.KEY and"
        ' PatientId("VALUE", "TYPE"), as in message_type = "ADT" AND send_date < "2026-01-31"'
    ),
    fields={
        **dict.fromkeys(("message_type", "messageType"), _Search()),
        **dict.fromkeys(("send_facility", "sendFacility"), _Search()),
        **dict.fromkeys(("send_date", "sendDate"), _Day()),
        **dict.fromkeys(("send_time", "sendTime"), _TIME),
        **dict.fromkeys(("create_time", "createTime"), _TIME),
        "labels.*": Label(),
    },
    functions={"PatientId": _patient_id},
)
_SNAKE_CASE = {
    "message_type": "messageType",
    "send_facility": "sendFacility",
    "send_time": "sendTime",
    "create_time": "createTime",
    "send_date": "sendDate",
}


def compile_filter(text: str, time_zone: str) -> Filter:
    """Return the filter of a text; an empty one matches every message.

    Args:
        text: the filter
        time_zone: of the dataset, for the day on which a message was sent

    Raises:
        ApiError: 400, naming the culprit
    """
    matches = _TABLE.compile(text)
    zone = ZoneInfo(time_zone)

    def test(message: Mapping[str, Any]) -> bool:
        known = dict(message)
        if sent := message.get("sendTime"):
            known["sendDate"] = datetime.fromisoformat(sent).astimezone(zone).date().isoformat()
        known.update(
            (snake, known[camel]) for snake, camel in _SNAKE_CASE.items() if camel in known
        )
        return matches(known)

    return test
