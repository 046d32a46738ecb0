"""Names for clusters: proposed by a vocabulary or a language model, and measured."""
