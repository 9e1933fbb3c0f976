"""Cloud Monitoring: alert policies and notification channels as settings; nothing is evaluated."""
