"""Deployment of stacks, their plans, copies and configuration files."""
