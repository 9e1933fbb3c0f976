"""Reasons in the responses of C-MOVE.

pynetdicom answers "destination unknown" by itself, without an Error Comment, when a handler yields
no address. Its event before a message is sent is the only one by which a comment can be added.
"""

from weakref import WeakKeyDictionary

from pynetdicom import dsutils
from pynetdicom.association import Association
from pynetdicom.dimse_messages import C_MOVE_RSP
from pynetdicom.events import Event

from workloads.dimse.errors import DESTINATION_UNKNOWN, Refusal, error_comment


class MoveRefusals:
    """The refusals that the next response of an association carries, if it is one."""

    def __init__(self) -> None:
        self._expected: WeakKeyDictionary[Association, Refusal] = WeakKeyDictionary()

    def expect(self, association: Association, refusal: Refusal) -> None:
        """Replace the status of a response that says "destination unknown"."""
        self._expected[association] = refusal

    def forget(self, association: Association) -> None:
        """Let responses pass as they are."""
        self._expected.pop(association, None)

    def handle_sent(self, event: Event) -> None:
        """Complete a message that is about to be sent."""
        command = event.message.command_set
        if not isinstance(event.message, C_MOVE_RSP) or command.Status != DESTINATION_UNKNOWN:
            return
        if refusal := self._expected.pop(event.assoc, None):
            command.Status = refusal.status
            command.ErrorComment = error_comment(refusal.comment)
            del command.CommandGroupLength
            encoded = dsutils.encode(command, True, True)
            command.CommandGroupLength = len(encoded or b"")
