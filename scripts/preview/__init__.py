"""Summaries of `pulumi preview --json` for reviewers."""
