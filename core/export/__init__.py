"""Export: what is written for the user. Folders, JSON, a page, tables, embeddings; never over anything."""
