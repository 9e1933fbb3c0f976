"""Tearing a stack down: what it made, what blocks, what stays; the rest is proved gone."""
