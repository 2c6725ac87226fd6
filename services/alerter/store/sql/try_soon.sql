-- After a start, when its configuration may have been mended, a channel that is left alone is tried soon.
UPDATE disabled SET again_s = min(again_s, :soon_s)
