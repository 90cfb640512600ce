"""Keys of which a part is gone: without a head, without an end, cut in the middle."""
