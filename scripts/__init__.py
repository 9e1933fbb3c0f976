"""Post-deploy scripts: import, export, query; one runnable module a task."""
