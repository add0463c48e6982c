-- As the first step has it, but by a clock that never reads less than the last beat: what was counted up to then stays
-- counted when the server's clock is set back.
CREATE OR REPLACE FUNCTION ledger_reading(
    counted double precision, since timestamptz, beat timestamptz, now timestamptz)
    RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
        SELECT counted + CASE WHEN since IS NULL THEN 0 ELSE greatest(0, extract(epoch FROM
            least(greatest(now, beat), beat + interval '30 seconds') - since)::double precision) END
    $$;
