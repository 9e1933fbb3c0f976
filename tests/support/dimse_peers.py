"""Peers of the DIMSE adapter, by pynetdicom."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.association import Association

from tests.support.adapters import Adapter
from tests.support.dimse_adapter import AET
from workloads.dimse.sop_classes import STORAGE_COMMITMENT

PEER = "MODALITY"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@contextmanager
def destination(
    on_new: Callable[[Dataset], None] = lambda _: None,
) -> Iterator[tuple[int, list[Dataset]]]:
    """A peer that keeps what it gets, uncompressed instances alone, and results of commitments."""
    got: list[Dataset] = []

    def keep(event: evt.Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        got.append(dataset)
        on_new(dataset)
        return 0

    def keep_result(event: evt.Event) -> tuple[int, None]:
        result = event.event_information
        result.EventTypeID = event.event_type
        got.append(result)
        return 0, None

    entity = AE(ae_title=PEER)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(str(context.abstract_syntax))
    entity.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
    handlers: Any = [(evt.EVT_C_STORE, keep), (evt.EVT_N_EVENT_REPORT, keep_result)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server
    yield server.server_address[1], got
    entity.shutdown()


@contextmanager
def association(running: Adapter, *contexts: Any, **more: Any) -> Iterator[Association]:
    """An association with the adapter."""
    entity, called = AE(ae_title=more.pop("calling", PEER)), more.pop("called", AET)
    opened = entity.associate(
        "127.0.0.1", running.port, contexts=list(contexts), ae_title=called, **more
    )
    yield opened
    if opened.is_established:
        opened.release()
