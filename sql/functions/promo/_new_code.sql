-- A fresh promo code: ten letters and digits, 50 random bits.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._new_code()
returns text
language sql
volatile
as $$
  -- A version 4 uuid is random but for parts of its bytes 6 and 8.
  select string_agg(
    substr('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', (get_byte(u.bytes, b.i) & 31) + 1, 1), ''
    order by b.i)
  from (select uuid_send(gen_random_uuid()) as bytes) u
  cross join unnest(array[0, 1, 2, 3, 4, 5, 9, 10, 11, 12]) b (i)
$$;

comment on function promo._new_code is
  'Without 0 and O, 1 and I, which people take for each other. promo.issue tries again when it is '
  'taken.';
