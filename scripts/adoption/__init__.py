"""Bringing resources that exist under a stack: what is looked for, tried, taken over, told."""
