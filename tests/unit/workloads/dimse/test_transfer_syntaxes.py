"""Which transfer syntax an instance is fetched in for a peer."""

import pytest

from workloads.dimse.retrieving import MAX_CONTEXTS, proposed_contexts
from workloads.dimse.transfer_syntaxes import COMPRESSED, UNCOMPRESSED, can_send, first_choice

EXPLICIT, IMPLICIT = UNCOMPRESSED
JPEG, RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5"


@pytest.mark.parametrize(
    ("accepted", "asked"),
    [
        ({IMPLICIT}, IMPLICIT),
        ({IMPLICIT, EXPLICIT}, EXPLICIT),
        ({IMPLICIT, JPEG}, "*"),
        ({JPEG}, "*"),
    ],
)
def test_the_stored_one_unless_the_peer_takes_no_compression(
    accepted: set[str], asked: str
) -> None:
    assert first_choice(accepted) == asked


def test_uncompressed_ones_are_converted() -> None:
    assert can_send(EXPLICIT, {IMPLICIT})
    assert can_send(JPEG, {JPEG})
    assert not can_send(JPEG, {IMPLICIT, RLE})


@pytest.mark.parametrize("classes", [1, 7, 100, 200])
def test_contexts_fit_an_association(classes: int) -> None:
    contexts = proposed_contexts({f"1.2.{number}" for number in range(classes)})
    assert len(contexts) <= MAX_CONTEXTS
    uncompressed = [one for one in contexts if one.transfer_syntax == list(UNCOMPRESSED)]
    assert len(uncompressed) == min(classes, MAX_CONTEXTS)
    if classes == 1:
        assert len(contexts) == 1 + len(COMPRESSED)
