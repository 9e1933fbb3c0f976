"""The expected answers and results of Google's lab GSP615."""
