"""Filters of lists, in the language of https://google.aip.dev/160."""
