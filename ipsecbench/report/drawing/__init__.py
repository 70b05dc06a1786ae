"""Charts as SVG: elements, axes, keys, and the plots that are made of them. Nothing here knows what it draws."""
