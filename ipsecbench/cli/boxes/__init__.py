"""Commands over datasets of several boxes: `compare`, `library`, `collect`, and what `report` shares with them."""
