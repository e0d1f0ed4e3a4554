environment   = "dev"
spark_workers = 2
alerts_copies = 1

# For demonstrations: PUT /faults/… of the weather API.
weather_faults = true
