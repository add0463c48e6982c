-- What was handed over and is not acknowledged yet; due is by when it should be.
CREATE INDEX message_handed_over ON message (lane, due) WHERE state = 'handed-over';
