"""One run in several processes: started, kept in step, and gone on with by any number."""
