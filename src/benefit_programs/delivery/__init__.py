"""Delivering events to those who need them."""
