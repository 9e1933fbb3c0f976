"""Access control: which permission each call needs, and whether its caller has it."""
