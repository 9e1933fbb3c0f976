"""The processes of Cloud Run: rollouts of services and worker pools, executions of jobs."""
