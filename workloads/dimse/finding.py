"""C-FIND: the matches of QIDO-RS as Query/Retrieve responses."""

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pynetdicom.events import Event

from workloads.common.counters import Counters
from workloads.common.logs import Log
from workloads.dimse import errors, query
from workloads.dimse.dicomweb import DicomWeb, Result
from workloads.dimse.errors import status_dataset
from workloads.dimse.peers import as_refusal, calling_aet, identifier_of, levels_of

LOG = Log("dimse.find")
Response = tuple[int | Dataset, Dataset | None]


class Finder:
    """Answers C-FIND requests.

    Args:
        dicomweb: the store
        aet: own title, the Retrieve AE Title of matches
        counters: counts `find_requests`, `find_matches` and `find_refusals`
    """

    def __init__(self, dicomweb: DicomWeb, aet: str, counters: Counters) -> None:
        self._dicomweb, self._aet, self._counters = dicomweb, aet, counters

    def handle(self, event: Event) -> Iterator[Response]:
        """Yield the matches of a request, each with its status."""
        self._counters.add("find_requests")
        found = 0
        try:
            asked = query.parse(identifier_of(event), levels_of(event))
            for result in query.search(self._dicomweb, asked):
                if event.is_cancelled:
                    LOG.info("C-FIND cancelled", peer=calling_aet(event), matches=found)
                    yield errors.CANCELLED, None
                    return
                found += 1
                yield self._match(asked, result)
        except Exception as error:  # noqa: BLE001 (the peer gets the reason)
            refusal = as_refusal(error)
            self._counters.add("find_refusals")
            LOG.warning("C-FIND refused", peer=calling_aet(event), status=f"{refusal.status:04X}")
            yield status_dataset(refusal), None
            return
        self._counters.add("find_matches", found)
        LOG.info("C-FIND answered", peer=calling_aet(event), level=asked.level, matches=found)

    def _match(self, asked: query.Query, result: Result) -> tuple[int, Dataset]:
        """Return a match with the elements that were asked for, empty where the store has none."""
        wanted = {f"{element.tag:08X}" for element in asked.keys}
        match = Dataset.from_json(
            {tag: result[tag] for tag in wanted & result.keys() if "BulkDataURI" not in result[tag]}
        )
        for element in asked.keys:
            if element.tag not in match:
                match.add_new(element.tag, element.VR, [] if element.VR == "SQ" else None)
        if "RetrieveAETitle" in match:
            match.RetrieveAETitle = self._aet
        if "InstanceAvailability" in match:
            match.InstanceAvailability = "ONLINE"
        match.QueryRetrieveLevel = asked.level
        match.SpecificCharacterSet = "ISO_IR 192"
        supported = not asked.is_partly_supported
        return (errors.PENDING if supported else errors.PENDING_WITH_WARNING), match
