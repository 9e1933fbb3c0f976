"""The conformance kit: the same small calls against Google Cloud and the local Google Cloud.

`python -m conformance PROJECT` compares both, check by check. It creates a few resources for the
time of the comparison, and removes them whatever happens: see docs/conformance.md.
"""
