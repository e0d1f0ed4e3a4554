"""The doctor: walks the path hop by hop and names the first broken one, with its likely cause.

`probes` ask the services, each for itself, and give what they saw, counts and ages, or why they could not
(`seen`); `diagnosis` judges all of it at once, and is pure.
"""
