"""Placeholder until the mask is merged."""


class Mask:
    def __init__(self, key): ...

    described: dict = {}

    def piece(self, piece):
        return piece
