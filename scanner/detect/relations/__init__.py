"""The arithmetic that turns numbers standing in memory into proofs."""
