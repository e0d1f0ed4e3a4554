"""Airflow's `plugins_folder`: it loads every file in here."""
