"""Healthcare datasets and stores as resources."""
