"""The addresses of services: who may call them, where a request goes, and the log of requests."""
