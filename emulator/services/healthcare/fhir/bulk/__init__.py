"""Bulk data exports by the protocol of the SMART implementation guide."""
