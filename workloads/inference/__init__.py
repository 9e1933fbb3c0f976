"""Inference on arrival: measures each new image of a store, and writes what it found back."""
