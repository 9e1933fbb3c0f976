"""What the package's own work costs: measured side by side in one run, printed, never asserted."""
