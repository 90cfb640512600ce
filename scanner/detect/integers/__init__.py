"""Numbers that nobody labelled: random-looking runs, in every reading, and the pool of them."""
