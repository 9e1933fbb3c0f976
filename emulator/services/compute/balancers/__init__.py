"""Parts of external Application Load Balancers: their resource types and methods."""
