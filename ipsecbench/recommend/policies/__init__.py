"""What is allowed: the policies that come with the program, as data, and how a file of one is read."""
