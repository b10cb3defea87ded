-- Gives back what a process claimed and has not begun.
-- Locks: inbox.update rows (skip locked).
-- Raises: 22023, OP001.
create or replace function inbox.give_back(p_holder text)
returns table (given_back int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_given_back int;
begin
  perform core._guard();
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');

  with held as (
    select u.update_id from inbox.update u
    where u.finished_at is null and u.leased_until is not null and u.holder = p_holder
    for no key update skip locked
  )
  update inbox.update u
  set attempt = u.attempt - 1, holder = null, lease_token = null, leased_until = null
  from held h
  where u.update_id = h.update_id;
  get diagnostics v_given_back = row_count;

  return query select v_given_back;
end
$$;

comment on function inbox.give_back is
  'For a process that stops: its unfinished updates are free at once, the attempt uncounted.';

grant execute on function inbox.give_back to atlas_bot, atlas_dba;
