"""Resource types, a module a Google service."""
