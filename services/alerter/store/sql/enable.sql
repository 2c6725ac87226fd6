DELETE FROM disabled WHERE channel = :channel
