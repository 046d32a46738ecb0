-- A search finds rows of vectors, and then wants to know whose they are.
CREATE INDEX embeddings_by_row ON embeddings (encoder, row);
