"""Source corpora: one corpus, one file, one function that yields samples."""
