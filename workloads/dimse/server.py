"""The application entity: what it accepts, and who answers which request."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from pynetdicom import AE, AllStoragePresentationContexts, _config, evt
from pynetdicom.association import Association
from pynetdicom.events import Event

from workloads.common.counters import Counters
from workloads.common.logs import Log
from workloads.common.spool import Spool
from workloads.dimse import commitment, errors, tls, transfer_syntaxes
from workloads.dimse.aet_dictionary import Peer
from workloads.dimse.commitment import Committer
from workloads.dimse.dicomweb import DicomWeb
from workloads.dimse.errors import Refusal, UsageError
from workloads.dimse.finding import Finder
from workloads.dimse.move_refusals import MoveRefusals
from workloads.dimse.peers import calling_aet
from workloads.dimse.retrieving import Getter, Retriever
from workloads.dimse.sop_classes import (
    PATIENT_ROOT,
    STORAGE_COMMITMENT,
    STUDY_ROOT,
    VERIFICATION,
)
from workloads.dimse.storing import Storer

LOG = Log("dimse.server")
MAX_PDU_BYTES = 128 * 1024
NETWORK_TIMEOUT_SECONDS = 60
ACSE_TIMEOUT_SECONDS = 30
_AFTER_ABORT = "Sta13"
"""The state of PS3.8 after an invalid PDU, until the connection is closed."""
# Its log quotes identifiers, which are patient data.
_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False


@dataclass(frozen=True)
class Settings:
    """Settings of the application entity.

    Attributes:
        aet: own title
        host: address to listen on
        port: TCP port; 0 is any free one
        peers: the AET dictionary
        calling_aets: titles that may connect; empty admits all
        sop_classes: UIDs of storage SOP classes beside those of the standard
        max_associations: at the same time
        max_instance_bytes: of a C-STORE
        server_tls: for incoming associations; None is plain TCP
        client_tls: for outgoing associations with peers that expect TLS
    """

    aet: str
    host: str
    port: int
    client_tls: ssl.SSLContext
    server_tls: ssl.SSLContext | None = None
    peers: dict[str, Peer] = field(default_factory=dict)
    calling_aets: Sequence[str] = ()
    sop_classes: Sequence[str] = ()
    max_associations: int = 25
    max_instance_bytes: int = 1 << 30


class Server:
    """The application entity of a store.

    Args:
        settings: of the entity
        dicomweb: the store
        spool: of incoming instances; None stores before the answer
        counters: of events
    """

    def __init__(
        self, settings: Settings, dicomweb: DicomWeb, spool: Spool | None, counters: Counters
    ) -> None:
        self._settings, self._counters = settings, counters
        self._entity = _entity(settings)
        move_refusals = MoveRefusals()
        storer = Storer(dicomweb, spool, settings.max_instance_bytes, counters)
        finder = Finder(dicomweb, settings.aet, counters)
        getter = Getter(
            dicomweb,
            Retriever(dicomweb, counters),
            settings.peers,
            move_refusals,
            settings.client_tls,
            counters,
        )
        self._committer = Committer(
            dicomweb,
            self._connect_for_result,
            settings.peers,
            lambda: spool is not None and spool.pending() > 0,
            counters,
        )
        self._handlers: list[evt.EventHandlerType] = [
            (evt.EVT_C_ECHO, self._echo),
            (evt.EVT_C_STORE, storer.handle),
            (evt.EVT_C_FIND, finder.handle),
            (evt.EVT_C_GET, getter.handle_get),
            (evt.EVT_C_MOVE, getter.handle_move),
            (evt.EVT_N_ACTION, self._committer.handle),
            (evt.EVT_DIMSE_SENT, move_refusals.handle_sent),
            (evt.EVT_ACCEPTED, self._accepted),
            (evt.EVT_REJECTED, self._rejected),
            (evt.EVT_ABORTED, self._aborted),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]

    def start(self) -> int:
        """Listen, in threads; return the port.

        Raises:
            UsageError: the address is in use or not one of this machine
        """
        wanted = (self._settings.host, self._settings.port)
        try:
            listener = self._entity.start_server(
                wanted,
                block=False,
                ssl_context=self._settings.server_tls,
                evt_handlers=self._handlers,
            )
        except OSError as error:
            raise UsageError(
                f"The adapter can't listen on {wanted[0]}:{wanted[1]}: {error.strerror}."
                " Choose another --port or --host."
            ) from error
        assert listener is not None
        return int(listener.server_address[1])

    def stop(self) -> None:
        """Abort the associations and stop to listen."""
        self._committer.stop()
        self._entity.shutdown()

    def _echo(self, event: Event) -> int:
        self._counters.add("echo_requests")
        LOG.info("C-ECHO answered", peer=calling_aet(event))
        return errors.SUCCESS

    def _accepted(self, event: Event) -> None:
        self._counters.add("associations")
        LOG.info("association accepted", **_origin(event))

    def _rejected(self, event: Event) -> None:
        self._counters.add("rejected_associations")
        requested = event.assoc.requestor.primitive
        allowed = self._settings.calling_aets
        if requested is not None and requested.called_ae_title != self._settings.aet:
            reason = f"it called {requested.called_ae_title}, and this is {self._settings.aet}"
        elif allowed and calling_aet(event) not in allowed:
            reason = "its title is not one of --calling-aet"
        else:
            reason = f"more than {self._settings.max_associations} associations"
        LOG.warning("association rejected", **_origin(event), reason=reason)

    def _aborted(self, event: Event) -> None:
        self._counters.add("aborted_associations")
        accepted = event.assoc.accepted_contexts
        reason = "the peer ended it" if accepted else "no presentation context is supported"
        LOG.warning("association aborted", **_origin(event), reason=reason)

    def _closed(self, event: Event) -> None:
        """End an association whose connection was closed before it requested one.

        pynetdicom waits for the request until its time-out, and counts the association meanwhile:
        a few health checks would leave no place for modalities.
        """
        association = event.assoc
        if association.requestor.primitive is not None:
            return
        if association.dul.state_machine.current_state == _AFTER_ABORT:
            self._counters.add("broken_connections")
            LOG.warning("the connection does not speak DICOM", **_origin(event))
        # As after the time-out.
        association.dul.to_user_queue.put(None)  # type: ignore[arg-type]

    def _connect_for_result(self, peer: Peer) -> Association:
        opened = self._entity.associate(
            peer.host,
            peer.port,
            contexts=commitment.CONTEXTS,
            ae_title=peer.name,
            ext_neg=[commitment.ROLE],
            tls_args=tls.arguments(peer, self._settings.client_tls),
        )
        if not opened.is_established:
            raise Refusal(errors.DESTINATION_UNKNOWN, f"no association with {peer.name}")
        return opened


def _origin(event: Event) -> dict[str, str]:
    requestor = event.assoc.requestor
    return {"peer": calling_aet(event), "address": f"{requestor.address}:{requestor.port}"}


def _entity(settings: Settings) -> AE:
    entity = AE(ae_title=settings.aet)
    entity.require_called_aet = True
    entity.require_calling_aet = list(settings.calling_aets)
    entity.maximum_associations = settings.max_associations
    entity.maximum_pdu_size = MAX_PDU_BYTES
    entity.network_timeout = NETWORK_TIMEOUT_SECONDS
    entity.acse_timeout = ACSE_TIMEOUT_SECONDS
    for uid in (VERIFICATION, STORAGE_COMMITMENT, *PATIENT_ROOT, *STUDY_ROOT):
        entity.add_supported_context(uid)
    standard = [str(context.abstract_syntax) for context in AllStoragePresentationContexts]
    for storage in (*standard, *settings.sop_classes):
        # The peer of a C-GET is the SCP of the instances that it gets.
        entity.add_supported_context(
            storage, list(transfer_syntaxes.STORABLE), scu_role=True, scp_role=True
        )
    return entity
