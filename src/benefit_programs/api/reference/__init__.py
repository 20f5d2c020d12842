"""What the API says about itself: an OpenAPI document and a page for readers.

Both are made from the table of methods and the types of the wire, so they can't say anything else
than what the service does.
"""
