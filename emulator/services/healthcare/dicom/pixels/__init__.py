"""Pixel data: decoding, encoding, rendering."""
