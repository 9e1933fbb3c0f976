"""The rules, one module a theme. `policy.registry` is the table of them."""
