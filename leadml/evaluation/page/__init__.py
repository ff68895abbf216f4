"""The interactive page of `report.html`: template, style and scripts, put into one file."""
