"""Parts that the workloads share: logs, counters, spool, delivery, the session with Google."""
