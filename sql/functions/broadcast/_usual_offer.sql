-- The button that fits what a broadcast is about.
-- Locks: none.
-- Raises: nothing.
create or replace function broadcast._usual_offer(p_kind text)
returns text
language sql
immutable
as $$
  select case p_kind when 'promo' then 'buy' when 'maintenance' then 'status'
                     when 'security' then 'key' else 'none' end
$$;

comment on function broadcast._usual_offer is 'Where nobody chose one.';
