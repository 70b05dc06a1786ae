"""A recommendation's own tables, sections and charts; as plain text and Markdown too."""
