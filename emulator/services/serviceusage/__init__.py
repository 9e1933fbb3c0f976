"""Service Usage: enabled services and service identities."""
