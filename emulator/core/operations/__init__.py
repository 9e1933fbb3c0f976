"""Long-running operations: kept in the database, run in background threads, listed."""
