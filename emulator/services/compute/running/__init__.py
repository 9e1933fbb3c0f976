"""The running parts: instances of groups, checks of their health, the load balancer."""
