-- Gives up updates whose every attempt ended without a word: their handlers died.
-- Locks: inbox.update rows (skip locked).
-- Raises: nothing.
create or replace function inbox._close_poison(p_now timestamptz)
returns void
language plpgsql
volatile
as $$
declare
  v_attempts bigint := ops._setting_value('update_attempts');
  v_update_id bigint;
begin
  for v_update_id in
    select u.update_id
    from inbox.update u
    where u.finished_at is null and u.leased_until <= p_now and u.attempt >= v_attempts
    limit 100
    for no key update skip locked
  loop
    perform ops._bury('inbox', 'update:' || v_update_id, 'every attempt ended without an answer');
    update inbox.update u
    set finished_at = p_now, leased_until = null, holder = null,
        last_error = 'every attempt ended without an answer'
    where u.update_id = v_update_id;
  end loop;
end
$$;

comment on function inbox._close_poison is
  'An update that kills whoever handles it must not hold up its chat, nor kill for ever.';
