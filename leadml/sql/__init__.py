"""A model as one SELECT of a database."""
