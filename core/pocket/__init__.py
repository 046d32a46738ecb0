"""The bundled toy model: what it is made of, the pictures it learns from, and the program that trains it.

It knows simple drawings and digits, and nothing of photographs.
"""
