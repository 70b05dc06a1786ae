"""The page of several datasets: two row by row, or many side by side."""
