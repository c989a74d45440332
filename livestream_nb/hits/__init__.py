"""From records to frames: decoding, duplicates, the bounded buffer."""
