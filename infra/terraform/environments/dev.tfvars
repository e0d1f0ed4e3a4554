environment   = "dev"
spark_workers = 2
alerts_copies = 2

# For demonstrations: PUT /faults/… of the weather API.
weather_faults = true
