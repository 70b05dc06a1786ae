"""ESP (RFC 4303), sans-IO: arithmetic of the packet."""
