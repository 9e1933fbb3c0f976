"""Consent stores: attribute definitions, consents with their artifacts, mappings, evaluations."""
