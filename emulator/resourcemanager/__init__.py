"""Resource Manager: projects."""
