"""Settings of programs that run on Cloud Run for the stack's stores."""
