"""The arithmetic that turns numbers standing in memory into proofs: one room for each kind of key.

The entry of a room relates the members of the integer pool to each other and to the public keys
that were met: ``search(pool, publics)`` yields every key it can prove, and
``again(memory, candidate)`` reads one of them a second time from its places, for stage three.
``places`` is what the rooms share: where numbers stand.
"""
