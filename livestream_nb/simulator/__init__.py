"""The service, faithfully: a model of Livestream, its traffic, and the HTTP around them."""
