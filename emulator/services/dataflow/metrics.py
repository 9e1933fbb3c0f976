"""Metrics of a job: what its workers last logged of their counters.

Documented (https://cloud.google.com/dataflow/docs/reference/rest/v1b3/MetricUpdate): a counter of
the user is there twice, with `tentative` in the context of what work in progress has counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core import timestamps

Json = dict[str, Any]
MESSAGE = "counters"
"""`message` of the lines with counters."""


def counted(entries: Iterable[Mapping[str, Any]]) -> tuple[str, Counter[str]]:
    """Return the name of the pipeline and its counters, over all workers.

    Args:
        entries: payloads of log entries, in the order of time
    """
    newest: dict[str, Mapping[str, int]] = {}
    pipeline = ""
    for payload in entries:
        if payload.get("message") == MESSAGE and isinstance(payload.get("counters"), Mapping):
            newest[str(payload.get("worker", ""))] = payload["counters"]
            pipeline = str(payload.get("pipeline", pipeline))
    total: Counter[str] = Counter()
    for counters in newest.values():
        total.update(counters)
    return pipeline, total


def job_metrics(pipeline: str, counters: Mapping[str, int], *, is_done: bool) -> Json:
    """Return JobMetrics.

    Args:
        pipeline: the namespace of the counters
        counters: by name
        is_done: whether the job has ended; else all is tentative
    """
    now = timestamps.now()
    updates = []
    for name, value in sorted(counters.items()):
        context = {"namespace": pipeline, "step": pipeline}
        for more in ({}, {"tentative": "true"}):
            committed = value if is_done or more else 0
            updates.append(
                {
                    "name": {"origin": "user", "name": name, "context": {**context, **more}},
                    "scalar": committed,
                    "updateTime": now,
                }
            )
    return {"metricTime": now, **({"metrics": updates} if updates else {})}
