"""C-GET and C-MOVE: instances of the store to peers."""

import io
import ssl
from collections.abc import Collection, Iterator
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.presentation import PresentationContext, build_context

from workloads.common.counters import Counters
from workloads.common.logs import Log
from workloads.dimse import errors, query, tls, transfer_syntaxes
from workloads.dimse.aet_dictionary import Peer
from workloads.dimse.dicomweb import DicomWeb, Result, StoreRefusal, value
from workloads.dimse.errors import Refusal
from workloads.dimse.move_refusals import MoveRefusals
from workloads.dimse.peers import as_refusal, calling_aet, identifier_of, levels_of

LOG = Log("dimse.retrieve")
MAX_INSTANCES = 65_535
"""Of one request: the numbers of sub-operations are of VR US."""
MAX_CONTEXTS = 128


class Retriever:
    """Fetches instances in a transfer syntax that a peer accepts.

    Args:
        dicomweb: the store
        counters: counts `retrieved` and `retrieve_failures`
    """

    def __init__(self, dicomweb: DicomWeb, counters: Counters) -> None:
        self._dicomweb, self._counters = dicomweb, counters

    def fetch(self, path: str, accepted: Collection[str]) -> Dataset:
        """Return an instance.

        Args:
            path: `studies/UID/series/UID/instances/UID`
            accepted: transfer syntaxes that the peer accepts for its SOP class

        Raises:
            Refusal: the peer accepts none, or the store can't return the instance in any of them
        """
        if not accepted:
            raise Refusal(errors.UNABLE_TO_PERFORM, "the peer does not accept the SOP class")
        dataset = self._read(path, transfer_syntaxes.first_choice(accepted))
        stored = str(dataset.file_meta.TransferSyntaxUID)
        if not transfer_syntaxes.can_send(stored, accepted):
            dataset = self._read(path, transfer_syntaxes.fallback(accepted))
        return dataset

    def _read(self, path: str, transfer_syntax: str) -> Dataset:
        return dcmread(io.BytesIO(self._dicomweb.retrieve(path, transfer_syntax)))

    def fetch_or_fail(self, result: Result, contexts: Collection[PresentationContext]) -> Dataset:
        """Return an instance for a sub-operation; one without contents if that fails.

        pynetdicom can't send such a dataset: it counts a failure and names its UID to the peer.
        """
        class_uid = value(result, query.CLASS_UID)
        try:
            dataset = self.fetch(query.path(result), accepted_syntaxes(contexts, class_uid))
        except Exception as error:  # noqa: BLE001 (one failure of many)
            refusal = as_refusal(error)
            self._counters.add("retrieve_failures")
            LOG.warning(
                "instance not sent",
                instance=value(result, query.INSTANCE_UID),
                reason=refusal.comment,
            )
            dataset = Dataset()
            dataset.SOPClassUID = class_uid
            dataset.SOPInstanceUID = value(result, query.INSTANCE_UID)
            return dataset
        self._counters.add("retrieved")
        return dataset


class Getter:
    """Answers C-GET and C-MOVE requests.

    Args:
        dicomweb: the store
        retriever: of its instances
        peers: the AET dictionary: destinations of C-MOVE
        move_refusals: adds reasons to the responses of C-MOVE
        client_tls: for destinations with TLS
        counters: counts `get_requests`, `move_requests` and `retrieve_refusals`
    """

    def __init__(
        self,
        dicomweb: DicomWeb,
        retriever: Retriever,
        peers: dict[str, Peer],
        move_refusals: MoveRefusals,
        client_tls: ssl.SSLContext,
        counters: Counters,
    ) -> None:
        self._dicomweb, self._retriever, self._peers = dicomweb, retriever, peers
        self._move_refusals, self._client_tls = move_refusals, client_tls
        self._counters = counters

    def handle_get(self, event: Event) -> Iterator[Any]:
        """Yield the number of instances, then each with its status."""
        self._counters.add("get_requests")
        try:
            found = self._find(event)
        except Exception as error:  # noqa: BLE001 (the peer gets the reason)
            refusal = as_refusal(error)
            self._refused("C-GET", event, refusal)
            yield 1
            yield errors.status_dataset(refusal), None
            return
        LOG.info("C-GET accepted", peer=calling_aet(event), instances=len(found))
        yield len(found)
        contexts = [one for one in event.assoc.accepted_contexts if one.as_scu]
        yield from self._sub_operations("C-GET", event, found, contexts)

    def handle_move(self, event: Event) -> Iterator[Any]:
        """Yield the address of the destination, the number of instances, then each of them."""
        self._counters.add("move_requests")
        destination = str(event.move_destination).strip()
        try:
            peer = self._peers.get(destination)
            if peer is None:
                raise Refusal(
                    errors.DESTINATION_UNKNOWN, f"{destination} is not in the AET dictionary"
                )
            found = self._find(event)
        except Exception as error:  # noqa: BLE001 (the peer gets the reason)
            refusal = as_refusal(error)
            self._refused("C-MOVE", event, refusal)
            self._move_refusals.expect(event.assoc, refusal)
            yield None, None
            return
        LOG.info(
            "C-MOVE accepted",
            peer=calling_aet(event),
            destination=destination,
            instances=len(found),
        )
        unreachable = Refusal(
            errors.DESTINATION_UNKNOWN, f"no association with {destination} could be opened"
        )
        self._move_refusals.expect(event.assoc, unreachable)
        accepted: list[Association] = []
        yield (
            peer.host,
            peer.port,
            {
                "contexts": proposed_contexts({value(one, query.CLASS_UID) for one in found}),
                "evt_handlers": [(evt.EVT_ACCEPTED, lambda opened: accepted.append(opened.assoc))],
                "tls_args": tls.arguments(peer, self._client_tls),
            },
        )
        yield len(found)
        self._move_refusals.forget(event.assoc)
        contexts = accepted[0].accepted_contexts if accepted else []
        yield from self._sub_operations("C-MOVE", event, found, contexts)

    def _find(self, event: Event) -> list[Result]:
        found = query.instances(self._dicomweb, identifier_of(event), levels_of(event))
        if len(found) > MAX_INSTANCES:
            raise Refusal(
                errors.UNABLE_TO_PERFORM,
                f"{len(found)} instances match, the limit is {MAX_INSTANCES}",
            )
        return found

    def _refused(self, service: str, event: Event, refusal: Refusal) -> None:
        self._counters.add("retrieve_refusals")
        # The store's reason may quote a key of the request.
        reason = "store" if isinstance(refusal, StoreRefusal) else refusal.comment
        LOG.warning(
            f"{service} refused",
            peer=calling_aet(event),
            status=f"{refusal.status:04X}",
            reason=reason,
        )

    def _sub_operations(
        self,
        service: str,
        event: Event,
        found: list[Result],
        contexts: Collection[PresentationContext],
    ) -> Iterator[tuple[int, Dataset | None]]:
        for result in found:
            if event.is_cancelled:
                LOG.info(f"{service} cancelled", peer=calling_aet(event))
                yield errors.CANCELLED, None
                return
            yield errors.PENDING, self._retriever.fetch_or_fail(result, contexts)


def accepted_syntaxes(contexts: Collection[PresentationContext], class_uid: str) -> set[str]:
    """Return the transfer syntaxes of the contexts for a SOP class."""
    return {
        str(syntax)
        for context in contexts
        if context.abstract_syntax == class_uid
        for syntax in context.transfer_syntax
    }


def proposed_contexts(class_uids: Collection[str]) -> list[PresentationContext]:
    """Return contexts for the SOP classes of instances, at most as many as one association has.

    Each compressed transfer syntax has its own, so that the peer can accept several; where they
    don't fit, the store decodes.
    """
    contexts = [
        build_context(uid, list(transfer_syntaxes.UNCOMPRESSED)) for uid in sorted(class_uids)
    ]
    for syntax in transfer_syntaxes.COMPRESSED:
        if len(contexts) + len(class_uids) <= MAX_CONTEXTS:
            contexts += [build_context(uid, syntax) for uid in sorted(class_uids)]
    return contexts[:MAX_CONTEXTS]
