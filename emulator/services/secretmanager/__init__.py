"""Secret Manager: secrets and their versions, global and regional ones."""
