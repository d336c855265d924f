"""The pages that people look at: all pipelines at a glance, and one page for each; HTML made here, a little JavaScript.

Import from the modules. What is shown was written by others (manifests, ledger, inspections); nothing is trained here.
"""
