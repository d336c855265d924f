"""Forecasters: the protocol, the baselines, the recurrent networks and published versions.

Import from the modules: this room is entered by parts, so that what judges or serves forecasts loads no Keras.
"""
