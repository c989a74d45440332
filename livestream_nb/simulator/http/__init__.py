"""What a request is answered: the service as HTTP shows it."""
