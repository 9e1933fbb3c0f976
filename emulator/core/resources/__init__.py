"""Field masks, filters and pages of resource-oriented APIs (https://google.aip.dev)."""
