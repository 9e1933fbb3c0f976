"""Cloud Run: services, jobs and worker pools, whose known images run as child processes."""
