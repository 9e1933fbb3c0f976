"""Faults on demand: chosen calls are refused, late or cut off."""
