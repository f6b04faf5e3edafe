"""CoALM-IT in its published layout: rows of instruction, input and output (Paper 4.1).

Each corpus of the paper's mixture has a file here with one function `make` that turns a
source record into its rows, and a `read` that does so for all of them. A row is kept as a
`Sample` in the dialect `verbatim`: instruction, input and output are its three turns.
"""
