"""What the other end can do: presets as data, proposals, files."""
