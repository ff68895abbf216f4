"""From raw columns to model features, and honest splits."""
