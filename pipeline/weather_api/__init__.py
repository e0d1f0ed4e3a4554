"""A weather service of one's own: Open-Meteo's contract over recorded weather or a synthetic climate.

It stands where the live service cannot be reached, and says in every location what its values are
(`galewatch_origin`): replay, synthetic or selftest. Run it with `python -m pipeline.weather_api`.
"""
