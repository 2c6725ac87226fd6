UPDATE disabled SET since_s = since_s - :by_s, again_s = again_s - :by_s
