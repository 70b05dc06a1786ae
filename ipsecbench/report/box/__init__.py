"""The page of one dataset: the box, its figures, what they are worth, where they come from."""
