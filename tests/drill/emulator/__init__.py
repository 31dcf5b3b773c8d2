"""The emulator's process: ministack, pinned, with what it lacks of AWS put in by the files beside this one.

It decides nothing for the product: each file says which answers of AWS it gives, and the README which ones nobody gives.
"""
