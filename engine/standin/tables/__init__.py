"""The table: a module a Google service, a row a resource type."""
