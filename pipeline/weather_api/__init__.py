"""A weather service of one's own: three contracts over recorded weather or a synthetic climate.

It speaks as Open-Meteo, as the US National Weather Service and as an IoT gateway do, stands where those
cannot be reached, and says in every answer what its values are (`galewatch_origin`): replay, synthetic or
selftest. Run it with `python -m pipeline.weather_api`.
"""
