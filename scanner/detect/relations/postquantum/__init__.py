"""Keys of FIPS 203 (``encapsulation``), FIPS 204 (``lattices``) and FIPS 205 (``hashtrees``)."""
