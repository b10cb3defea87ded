-- A fresh opaque referral code: 64 random bits in hex.
-- Locks: none.
-- Raises: nothing.
create or replace function account._new_referral_code()
returns text
language sql
volatile
as $$
  -- A version 4 uuid is random but for its digits 13 and 17.
  select substr(u.hex, 1, 12) || substr(u.hex, 29, 4)
  from (select replace(gen_random_uuid()::text, '-', '') as hex) u
$$;

comment on function account._new_referral_code is '16 hex digits from a version 4 uuid.';
