"""Compute Engine: what managed groups of instances behind a load balancer need, and their VPN."""
