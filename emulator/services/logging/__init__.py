"""Cloud Logging: entries that services and callers write, and lists of them by filter."""
