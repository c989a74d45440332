"""A small shop and magazine, made up from a seed: its visitors, its pages, and their visits."""
