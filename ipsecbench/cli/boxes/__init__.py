"""Commands over datasets of several boxes: ``compare``, ``library``, and what ``report`` shares with them."""
