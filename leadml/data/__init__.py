"""Leads from files and frames, and what their columns mean."""
