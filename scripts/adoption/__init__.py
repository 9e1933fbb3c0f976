"""Adoption of existing resources: survey, conflicts, import, report."""
