"""Reading `pulumi preview --json` and telling reviewers what it would do."""
