"""What a report shows beyond figures, put together from models and judged leads."""
