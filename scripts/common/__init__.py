"""What the scripts share: clients, retries, operations, progress, names of the stack, errors."""
