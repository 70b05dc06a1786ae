"""What keys cost and how long they live: set-ups, rekeys, recovery, perfect forward secrecy, numbers and windows."""
