# Beside dev on one machine: other names, other ports.
environment   = "staging"
port_offset   = 1000
spark_workers = 2
alerts_copies = 2
