-- One page of the keys that are promised and not delivered.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function vpn.list_undelivered(
  p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit int)
returns table (
  job_id bigint, telegram_id bigint, username text, promised_at timestamptz, attempts int,
  is_failed boolean, last_error text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_after timestamptz := timestamptz '-infinity';
begin
  perform core._require(p_is_tried is not null, 'p_is_tried: whether an attempt has failed');
  perform core._require((p_after_user is null) = (p_after_id is null),
                        'p_after_user, p_after_id: both of the last row, or none');
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);

  if p_is_tried then
    return query
    select t.task_id, t.telegram_id::bigint, a.username, t.created_at, t.attempt::int,
           t.finished_at is not null, t.last_error
    from outbox.task t
    join account.account a on a.telegram_id = t.telegram_id
    left join subscription.subscription s on s.telegram_id = t.telegram_id
    where t.kind = 'provision' and t.name = 'add' and t.last_error is not null
      and (t.finished_at is null or t.outcome = 'failed')
      and (t.finished_at is null
           or s.activation = 'failed' and s.vpn_uuid = t.vpn_uuid and s.expires_at > core.now())
      and t.task_id > coalesce(p_after_id, 0)
    order by t.task_id
    limit p_limit;
    return;
  end if;

  select t.due_at into v_after
  from outbox.task t
  where t.telegram_id = p_after_user and t.task_id = p_after_id;
  return query
  select t.task_id, t.telegram_id::bigint, a.username, t.created_at, t.attempt::int, false,
         t.last_error
  from outbox.task t
  join account.account a on a.telegram_id = t.telegram_id
  where t.kind = 'provision' and t.finished_at is null
    and t.name = 'add' and t.last_error is null
    and (t.due_at, t.task_id) > (coalesce(v_after, '-infinity'), coalesce(p_after_id, 0))
  order by t.due_at, t.task_id
  limit p_limit;
end
$$;

comment on function vpn.list_undelivered is
  'For admins only. p_is_tried: those that an attempt has failed for, and those given up while '
  'nothing else has brought a key, oldest promise first; else those that wait for their first '
  'attempt, as they are due. p_after_user and p_after_id: the last row of the page before; null '
  'begins. Reads only.';

grant execute on function vpn.list_undelivered to atlas_admin, atlas_dba;
