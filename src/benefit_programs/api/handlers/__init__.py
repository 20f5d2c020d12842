"""What each method does with a call: a module a family, each function below its method's row.

Writes go through the engine, reads straight to the store.
"""
