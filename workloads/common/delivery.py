"""Delivery of the items of a spool: threads that retry with backoff and keep dead letters."""

import random
import threading
from collections.abc import Callable

from workloads.common.counters import Counters
from workloads.common.logs import Log
from workloads.common.spool import Item, Spool

INITIAL_SECONDS = 0.2
MAX_SECONDS = 60.0


class Refused(Exception):  # noqa: N818 (an answer of the other side)
    """A permanent refusal: retrying does not help.

    Args:
        reason: without patient data
        comment: of the other side, which may quote some; logs leave it out
    """

    def __init__(self, reason: str, comment: str = "") -> None:
        super().__init__(f"{reason} {comment}".strip())
        self.reason = reason


class Unavailable(Exception):  # noqa: N818 (a state of the other side)
    """A failure that may pass: the item is delivered again later."""


class Backoff:
    """The seconds to wait before each next attempt: doubled, up to a limit, with jitter."""

    def __init__(self, initial: float = INITIAL_SECONDS, maximum: float = MAX_SECONDS) -> None:
        self._initial, self._maximum = initial, maximum
        self._next = initial

    def reset(self) -> None:
        """Begin again after a success."""
        self._next = self._initial

    def seconds(self) -> float:
        """Return the next wait, in seconds."""
        wait, self._next = self._next, min(self._next * 2, self._maximum)
        return wait * random.uniform(0.75, 1.25)  # noqa: S311 (no secret)


class Delivery:
    """Threads that deliver what is in a spool.

    Args:
        spool: the items
        deliver: sends one; raises `Refused` or `Unavailable`
        log: names keys and attributes of items alone
        counters: counts `delivered`, `dead_letters` and `retries`
        workers: threads; one keeps the order of the items
    """

    def __init__(
        self,
        spool: Spool,
        deliver: Callable[[Item], None],
        log: Log,
        counters: Counters,
        workers: int = 1,
    ) -> None:
        self._spool, self._deliver, self._log, self._counters = spool, deliver, log, counters
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"delivery-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish the current items and end the threads; what waits stays in the spool."""
        self._stop.set()
        self._spool.close()
        for thread in self._threads:
            thread.join(timeout)

    def _run(self) -> None:
        while (item := self._spool.next()) and not self._stop.is_set():
            self._until_done(item)

    def _until_done(self, item: Item) -> None:
        backoff = Backoff()
        while not self._stop.is_set():
            try:
                return self._attempt(item)
            except Unavailable as failure:
                self._retry(item, backoff, str(failure))
            except FileNotFoundError:
                return self._log.warning("item was removed from the spool", item=item.key)
            except Exception as error:  # noqa: BLE001 (an accepted item is never given up)
                self._log.exception("delivery crashed", item=item.key)
                self._retry(item, backoff, type(error).__name__)
        return None

    def _attempt(self, item: Item) -> None:
        try:
            self._deliver(item)
        except Refused as refusal:
            self._spool.refuse(item, str(refusal))
            self._counters.add("dead_letters")
            self._log.error("dead letter", item=item.key, **item.attributes)
        else:
            self._spool.remove(item)
            self._counters.add("delivered")

    def _retry(self, item: Item, backoff: Backoff, reason: str) -> None:
        seconds = backoff.seconds()
        self._counters.add("retries")
        self._log.warning(
            "delivery failed", item=item.key, reason=reason, retry_in_seconds=round(seconds, 1)
        )
        self._stop.wait(seconds)
