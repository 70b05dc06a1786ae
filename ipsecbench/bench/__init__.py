"""The measuring engine: what is measured, how often, in which order, and how sure the figure is."""
