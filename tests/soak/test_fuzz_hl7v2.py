"""Damaged HL7v2 messages: each is parsed or refused with its reason, and always answered."""

import random
from collections.abc import Callable

from emulator.services.healthcare.hl7v2.acknowledgement import acknowledge
from emulator.services.healthcare.hl7v2.parsing.attributes import attributes
from emulator.services.healthcare.hl7v2.parsing.parsed_data import parsed_data
from emulator.services.healthcare.hl7v2.parsing.syntax import Hl7Error, parse
from emulator.services.healthcare.hl7v2.schematized.package import SchemaPackage
from tests.support import hl7v2_messages

ROUNDS, ROUNDS_LONG = 1_000, 100_000
MESSAGES = (
    hl7v2_messages.admission(),
    hl7v2_messages.RESULT,
    hl7v2_messages.ODD_DELIMITERS,
    hl7v2_messages.EUROPEAN,
)
PIECES = (b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"MSH", b"PID|", b"\x00", b"\xff", b"\\F\\")
PACKAGES = [
    SchemaPackage({"ignoreMinOccurs": lenient, "unexpectedSegmentHandling": handling})
    for lenient in (False, True)
    for handling in ("FAIL", "SKIP", "PARSE")
]


def damaged(source: random.Random) -> bytes:
    """A message of which some parts are cut out, repeated or replaced."""
    data = bytearray(source.choice(MESSAGES))
    for _ in range(source.randint(1, 6)):
        start = source.randrange(len(data) + 1)
        end = min(len(data), start + source.choice((0, 0, 1, 2, 20)))
        data[start:end] = source.choice([source.choice(PIECES), bytes(data[end : end + 9]), b""])
    return bytes(data)


def test_a_damaged_message_is_parsed_or_refused(
    soak: bool, draw: random.Random, report: Callable[..., None]
) -> None:
    rounds = ROUNDS_LONG if soak else ROUNDS
    refused = 0
    for _ in range(rounds):
        data = damaged(draw)
        allowed = draw.random() < 0.5
        reason = ""
        try:
            message = parse(data, draw.choice("\r\n"), allow_null_header=allowed)
        except Hl7Error as error:
            reason = str(error)
            refused += 1
        else:
            attributes(message, "Europe/Zurich")
            for version in ("V1", "V2", "V3"):
                segments = parsed_data(message, version)["segments"]
                assert len(segments) == len(message.segments)
            found = draw.choice(PACKAGES).schematize(message)
            assert set(found) in ({"data"}, {"error"})
        answer = acknowledge(data, "\r", reason)
        assert answer.startswith(b"MSH")
        assert (b"AE" if reason else b"AA") in answer
    assert 0 < refused < rounds
    report("damaged HL7v2 messages", tried=rounds, refused=refused)
