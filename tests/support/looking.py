"""How often to look whether something has come about.

Who looks without a pause takes the processor from what it waits for.
"""

LOOK_PAUSE_SECONDS = 0.02
