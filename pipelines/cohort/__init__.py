"""Cohorts: de-identified copies of the instances that a query selects."""
