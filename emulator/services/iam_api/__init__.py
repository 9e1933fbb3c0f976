"""The APIs of IAM: roles, service accounts with their keys, and short-lived credentials."""
