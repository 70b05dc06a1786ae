"""How commands show things: text in lines, tables, progress. None of it knows what it shows."""
