"""Figures, tables, comparisons, plots and the report."""
