"""Programs that run on Google Cloud: a package each, with its Dockerfile and README."""
