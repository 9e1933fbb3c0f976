"""Recovery of a stack after an interrupted update."""
