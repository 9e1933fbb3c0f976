"""Members of the policies of a stack's resources: who can do what."""
