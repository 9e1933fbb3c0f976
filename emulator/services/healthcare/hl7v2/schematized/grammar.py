"""Assignment of the segments of a message to the groups of a schema.

Each segment goes to the nearest group that takes it: the current one, behind what it has, or one of
those around it. Inferred (conformance: hl7v2-schema-groups, hl7v2-unexpected-segments): this
order, and the form of segments that are parsed in place.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.services.healthcare.hl7v2.parsing.syntax import Segment
from emulator.services.healthcare.hl7v2.schematized.definitions import (
    Group,
    Member,
    SegmentMember,
)

FAIL, SKIP, PARSE = "FAIL", "SKIP", "PARSE"

Json = dict[str, Any]
Convert = Callable[[Segment], Any]


class SchemaError(ValueError):
    """A message that does not fit the schema. The text holds no values of the message."""


@dataclass
class _Frame:
    """A group that is being filled.

    Attributes:
        group: the group
        output: the object of the group
        index: the member that was filled last; -1 for none
        count: how often that member is there
    """

    group: Group
    output: Json
    index: int = -1
    count: int = 0
    filled: set[int] = field(default_factory=set)


class Assignment:
    """The groups of one message.

    Args:
        root: the group of the message
        convert: returns the JSON of a segment
        ignore_min_occurs: whether members that are required may be missing
        unexpected: what happens to segments without a position: `FAIL`, `SKIP` or `PARSE`
    """

    def __init__(
        self, root: Group, convert: Convert, *, ignore_min_occurs: bool, unexpected: str
    ) -> None:
        self._convert = convert
        self._ignore_min_occurs = ignore_min_occurs
        self._unexpected = unexpected
        self._frames = [_Frame(root, _empty(root))]

    def run(self, segments: Sequence[Segment]) -> Json:
        """Return the object of the message.

        Raises:
            SchemaError: a segment is unexpected or missing
        """
        root = self._frames[0]
        for segment in segments:
            self._add(segment)
        self._close(0)
        return root.output

    def _add(self, segment: Segment) -> None:
        for depth in reversed(range(len(self._frames))):
            index = self._position(self._frames[depth], segment.id)
            if index is not None:
                self._close(depth + 1)
                self._fill(self._frames[depth], index, segment)
                return
        if self._unexpected == FAIL:
            raise SchemaError(f"unexpected segment {segment.id}")
        if self._unexpected == PARSE:
            output = self._frames[-1].output
            present = output.get(segment.id)
            several = present if isinstance(present, list) else [present] if present else []
            output[segment.id] = [*several, self._convert(segment)]

    def _position(self, frame: _Frame, segment_id: str) -> int | None:
        """Return the next member of a group that takes a segment, or None."""
        members = frame.group.members
        if frame.group.is_choice and frame.index >= 0:
            candidates: Sequence[int] = [frame.index]
        else:
            candidates = range(max(frame.index, 0), len(members))
        for index in candidates:
            member = members[index]
            is_full = index == frame.index and 0 < member.max_occurs <= frame.count
            if not is_full and segment_id in first(member, self._ignore_min_occurs):
                return index
        return None

    def _fill(self, frame: _Frame, index: int, segment: Segment) -> None:
        frame.count = frame.count + 1 if index == frame.index else 1
        frame.index = index
        frame.filled.add(index)
        member = frame.group.members[index]
        if isinstance(member, SegmentMember):
            _put(frame.output, member, self._convert(segment))
            return
        inner = _Frame(member, _empty(member))
        _put(frame.output, member, inner.output)
        self._frames.append(inner)
        position = self._position(inner, segment.id)
        assert position is not None  # the first segments of a group begin one of its members
        self._fill(inner, position, segment)

    def _close(self, depth: int) -> None:
        """End the groups from a depth on."""
        for frame in self._frames[depth:]:
            if not self._ignore_min_occurs:
                _check_complete(frame)
        del self._frames[depth:]


def _check_complete(frame: _Frame) -> None:
    group = frame.group
    if group.is_choice and frame.filled:
        return
    required = [index for index, member in enumerate(group.members) if member.min_occurs > 0]
    for index in required:
        if index not in frame.filled:
            name = group.members[index].name
            raise SchemaError(f"missing required {name} in group {group.name}")


def first(member: Member, ignore_min_occurs: bool) -> frozenset[str]:
    """Return the ids of the segments that a member may begin with."""
    if isinstance(member, SegmentMember):
        return frozenset((member.name,))
    return frozenset(_beginnings(member, ignore_min_occurs))


def _beginnings(group: Group, ignore_min_occurs: bool) -> Iterator[str]:
    for member in group.members:
        yield from first(member, ignore_min_occurs)
        if member.min_occurs > 0 and not ignore_min_occurs and not group.is_choice:
            return


def _empty(group: Group) -> Json:
    return {member.name: None for member in group.members}


def _put(output: Json, member: Member, value: Any) -> None:
    if member.max_occurs == 1:
        output[member.name] = value
    else:
        output[member.name] = [*(output.get(member.name) or []), value]
