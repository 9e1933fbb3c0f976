"""Components on top of audit logs: their copy, and the alert on unexpected access."""
