-- How many people a request may give new identities now.
-- Locks: none.
-- Raises: nothing.
create or replace function vpn._reissue_room(p_request_id bigint)
returns int
language plpgsql
stable
as $$
declare
  v_most int := ops._setting_value('reissue_tasks_at_once')::int;
begin
  return (
    select (v_most - count(*)::int) / 2 -- a new identity and the old one: two tasks
    from (
      select from outbox.task t
      where t.kind = 'provision' and t.finished_at is null and t.other_id = p_request_id
      limit v_most) w);
end
$$;

comment on function vpn._reissue_room is
  'Tasks are claimed as they are due: a key that is bought meanwhile waits behind no more of these '
  'than the setting reissue_tasks_at_once.';
