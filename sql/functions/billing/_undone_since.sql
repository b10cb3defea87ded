-- Where the chain is undone from on, once a purchase is taken back; null if later time is in force.
-- Locks: none; the caller holds the user's lock.
-- Raises: nothing.
create or replace function billing._undone_since(p_telegram_id bigint, p_purchase_id uuid)
returns bigint
language plpgsql
stable
as $$
declare
  v_event record;
  v_first bigint;
  v_is_found boolean := false;
begin
  for v_event in
    select c.place, c.is_purchase, c.is_undone, c.purchase_id = p_purchase_id as is_this,
           coalesce(c.before_expires_at > c.happened_at, false) as follows
    from billing._chain(p_telegram_id) c
    order by c.place desc
  loop
    exit when not v_event.is_undone and not (v_event.is_purchase and v_event.is_this);
    if v_event.is_purchase then
      v_first := v_event.place;
      v_is_found := v_is_found or v_event.is_this;
      exit when not v_event.follows; -- nothing was in force before it
    end if;
  end loop;

  return case when v_is_found then v_first end;
end
$$;

comment on function billing._undone_since is
  'Looks back from the end of the chain over what is taken back. If it meets the purchase before '
  'anything that still counts, the state before the first of them can be restored.';
