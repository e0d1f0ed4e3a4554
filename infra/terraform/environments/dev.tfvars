environment   = "dev"
spark_workers = 2
alerts_copies = 1
