"""The outgoing side: notifications of a store become C-STORE requests to a peer.

With a spool, a message is acknowledged once its instance's path is in it; instances are sent from
there. Without one, see `forwarding`.
The format of a message is documented: https://cloud.google.com/healthcare-api/docs/dicom-pubsub.
"""

import re
import ssl
import threading
from typing import Any

from pynetdicom import AE
from pynetdicom.association import Association

from workloads.common.counters import Counters
from workloads.common.delivery import Refused, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Item, Spool
from workloads.common.subscription import Notification, Subscription, SubscriptionError
from workloads.dimse import query, tls
from workloads.dimse.aet_dictionary import Peer
from workloads.dimse.dicomweb import DicomWeb, StoreRefusal, value
from workloads.dimse.errors import DUPLICATE_INSTANCE, PROCESSING_FAILURE, Refusal
from workloads.dimse.retrieving import Retriever, accepted_syntaxes, proposed_contexts

LOG = Log("dimse.outgoing")
MAX_MESSAGES = 100
_PATH = re.compile(
    r"(projects/[^/]+/locations/[^/]+/datasets/[^/]+/dicomStores/[^/]+)/dicomWeb/"
    r"(studies/[0-9.]+/series/[0-9.]+/instances/([0-9.]+))"
)
_WITHOUT_CONTENT = {"DeleteInstances", "SetBlobSettings"}
"""Values of the attribute `action`: names of methods after which there is nothing to send.

`SetBlobSettings` is documented: `DicomNotificationConfig.pubsubTopic` in the API's reference says
"the name of the endpoint that generated the notification". `DeleteInstances` is inferred from it.
"""


class Receiver:
    """Receives the notifications of a subscription.

    Args:
        subscription: to the notifications of the store
        store: whose notifications are sent; those of others are skipped
        spool: gets the path of each instance
        counters: counts `notifications` and `skipped_notifications`
    """

    def __init__(
        self, subscription: Subscription, store: str, spool: Spool, counters: Counters
    ) -> None:
        self.failure: SubscriptionError | None = None
        self._subscription = subscription
        self._store, self._spool, self._counters = store, spool, counters

    def run(self, stop: threading.Event) -> None:
        """Receive until the adapter stops.

        A subscription that can't be used stops the adapter: `failure` has the reason.
        """
        try:
            for notifications in self._subscription.receive(MAX_MESSAGES, stop):
                if notifications:
                    self._keep_all(notifications)
        except SubscriptionError as error:
            self.failure = error
            stop.set()

    def _keep_all(self, notifications: list[Notification]) -> None:
        try:
            for each in notifications:
                self._keep(each)
        except OSError as error:
            # They are delivered again after their deadline.
            LOG.error("spool can't be written", reason=error.strerror)
        else:
            self._subscription.acknowledge(notifications)

    def _keep(self, notification: Notification) -> None:
        self._counters.add("notifications")
        found = instance_of(notification, self._store)
        if found is None:
            self._counters.add("skipped_notifications")
            return
        path, instance = found
        self._spool.put(path.encode(), instance=instance)


def instance_of(notification: Notification, store: str) -> tuple[str, str] | None:
    """Return the path and the UID of the instance to send; None if there is none of this store."""
    match = _PATH.search(notification.name)
    if match is None or match[1] != store or notification.action in _WITHOUT_CONTENT:
        return None
    return match[2], match[3]


class Sender:
    """Sends instances to a peer, over an association of each thread.

    Args:
        aet: own title
        peer: of all instances
        client_tls: if the peer expects TLS
        dicomweb: the store
        counters: counts `sent` and `gone`
    """

    def __init__(
        self,
        aet: str,
        peer: Peer,
        client_tls: ssl.SSLContext,
        dicomweb: DicomWeb,
        counters: Counters,
    ) -> None:
        self._entity = AE(ae_title=aet)
        self._entity.maximum_pdu_size = 0
        self._peer, self._client_tls = peer, client_tls
        self._dicomweb, self._counters = dicomweb, counters
        self._retriever = Retriever(dicomweb, counters)

    def deliver(self, item: Item) -> None:
        """Send the instance of an item.

        Raises:
            Refused: the peer will never take it
            Unavailable: the peer or the store may work later
        """
        self.send(item.read().decode(), item.attributes["instance"])

    def send(self, path: str, instance: str) -> None:
        """Send an instance.

        Args:
            path: in the store, `studies/.../series/.../instances/...`
            instance: its UID

        Raises:
            Refused: the peer will never take it
            Unavailable: the peer or the store may work later
        """
        try:
            found = list(self._dicomweb.search("instances", [("SOPInstanceUID", instance)]))
            result = next((one for one in found if query.path(one) == path), None)
            if result is None:
                self._counters.add("gone")
                LOG.info("instance is no longer in the store", instance=instance)
                return
            self._send(path, value(result, query.CLASS_UID))
        except StoreRefusal as refusal:
            waits = refusal.transient or refusal.code in {403, 404}
            raise (Unavailable if waits else Refused)(refusal.comment) from refusal
        except Refusal as refusal:
            raise Refused(refusal.comment) from refusal
        self._counters.add("sent")

    def _send(self, path: str, class_uid: str) -> None:
        association = self._associate(class_uid)
        try:
            accepted = accepted_syntaxes(association.accepted_contexts, class_uid)
            dataset = self._retriever.fetch(path, accepted)
            _check_status(self._store(association, dataset))
        finally:
            if association.is_established:
                association.release()

    def _store(self, association: Association, dataset: Any) -> Any:
        try:
            return association.send_c_store(dataset)
        except (RuntimeError, ValueError, AttributeError) as error:
            if not association.is_established:
                raise Unavailable("the peer ended the association") from error
            raise Refused("the instance can't be encoded:", str(error)) from error

    def _associate(self, class_uid: str) -> Association:
        association = self._entity.associate(
            self._peer.host,
            self._peer.port,
            contexts=proposed_contexts({class_uid}),
            ae_title=self._peer.name,
            tls_args=tls.arguments(self._peer, self._client_tls),
        )
        if association.is_established:
            return association
        if association.is_rejected:
            raise Unavailable(f"{self._peer.name} rejects the association")
        if association.acceptor.primitive is not None:
            raise Refused(f"{self._peer.name} does not accept the SOP class {class_uid}")
        raise Unavailable(
            f"{self._peer.name} can't be reached at {self._peer.host}:{self._peer.port}"
        )


def _check_status(status: Any) -> None:
    """Raise for a status that is neither success nor a warning (PS3.4 B.2.3)."""
    if "Status" not in status:
        raise Unavailable("the peer did not answer")
    code = int(status.Status)
    if code in (0, DUPLICATE_INSTANCE) or code >> 12 == 0xB or code in (0x0107, 0x0116):
        return
    if code >> 8 == 0xA7 or code == PROCESSING_FAILURE:
        raise Unavailable(f"the peer answers {code:04X}")
    raise Refused(f"the peer answers {code:04X}", str(status.get("ErrorComment", "")))
