"""The demo: one day of weather through the product's own pure core, in one process and without any service.

The weather API answers inside of the process, the sources read its answers, the rules and windows make alerts
and averages of them: the same code that the services run, only nothing in between.
"""
