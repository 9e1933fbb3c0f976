"""Tear-down of a stack: checks, deletion, and proof that no resource is left."""
