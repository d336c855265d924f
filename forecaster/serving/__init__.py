"""The server: TensorFlow Serving's REST protocol from the store, forecasts by time stamp, streaming, health, metrics.

Import from the modules: nothing heavy is loaded until a part is used. No training code is reached from here.
"""
