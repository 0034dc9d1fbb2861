"""What both edges know; it knows nothing of HTTP."""
