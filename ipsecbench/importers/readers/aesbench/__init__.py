"""What aesbench and its sisters print, and the tables that are made of it."""
