"""What wolfCrypt's benchmark prints."""
