"""What Livestream says: requests, answers and records. Pure; shared by client and simulator."""
