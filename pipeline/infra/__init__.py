"""What `make` runs on the host: preflight, engine, base image, provider, secrets, Terraform, Airflow, status.

`up` tells the whole story in order; every other module is one station of it.
"""
