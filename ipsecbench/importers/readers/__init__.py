"""One reader for each format: a module, or a folder where it takes several. They know the frame, not each other."""
