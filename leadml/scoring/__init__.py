"""Rule books, learned points, the scale, reasons."""
