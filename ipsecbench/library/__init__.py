"""Many datasets together: read from folders, kept, described."""
