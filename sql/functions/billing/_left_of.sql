-- How much a purchase's period still is at a later place of the chain, in the tariff there.
-- Locks: none; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._left_of(
  p_telegram_id bigint, p_place bigint, p_until_place bigint)
returns interval
language plpgsql
stable
as $$
declare
  v_event record;
  v_left interval;
begin
  for v_event in
    select c.place, c.bought, c.before_tariff, c.after_tariff,
           coalesce(c.before_expires_at > c.happened_at, false) as follows
    from billing._chain(p_telegram_id) c
    where c.place between p_place and p_until_place - 1
    order by c.place
  loop
    if v_event.place = p_place then
      v_left := v_event.bought;
    elsif not v_event.follows then
      return interval '0'; -- it was over: what came after does not build on it
    else
      v_left := billing._convert(v_left, v_event.before_tariff, v_event.after_tariff);
    end if;
  end loop;
  return v_left;
end
$$;

comment on function billing._left_of is
  'The recorded period, converted as often as the remaining time was; nothing once the '
  'subscription had run out in between.';
