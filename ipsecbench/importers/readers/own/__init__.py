"""What this program itself wrote: datasets, and reports that have one within."""
