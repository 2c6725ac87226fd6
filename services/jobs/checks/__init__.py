"""How each part of the desk is, asked from outside of it."""
