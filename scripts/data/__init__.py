"""The data of a stack: import, export, queries and pictures."""
