"""Keys as SSH programs keep them: OpenSSH, PuTTY, ssh.com, and public keys on the wire."""
