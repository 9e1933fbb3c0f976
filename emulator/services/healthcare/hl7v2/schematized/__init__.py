"""Schematized parsing: the groups of segments and the types of fields that a schema defines."""
