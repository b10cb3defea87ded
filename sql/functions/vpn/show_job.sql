-- One promised key as an admin's screens show it.
-- Locks: none.
-- Raises: US003, VP002, 22023.
create or replace function vpn.show_job(
  p_admin_id bigint, p_telegram_id bigint, p_job_id bigint)
returns table (
  job_id bigint, telegram_id bigint, username text, purchase_id uuid, promised_at timestamptz,
  attempts int, due_at timestamptz, status text, last_error text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_job_id is not null, 'p_job_id: the id from list_undelivered');
  perform account._only_admins(p_admin_id);

  return query
  select t.task_id, t.telegram_id::bigint, a.username, t.purchase_id, t.created_at,
         t.attempt::int, t.due_at,
         case when t.outcome = 'failed'
                then case when vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, v_now)
                          then 'stale' when s.activation = 'active' then 'delivered'
                          else 'failed' end
              when t.finished_at is not null then 'delivered'
              when t.leased_until > v_now then 'working'
              else 'waiting' end,
         t.last_error
  from outbox.task t
  join account.account a on a.telegram_id = t.telegram_id
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  where t.telegram_id = p_telegram_id and t.task_id = p_job_id
    and t.kind = 'provision' and t.name = 'add';
  if not found then
    perform core._refuse('VP002', format('telegram_id %s, job_id %s', p_telegram_id, p_job_id));
  end if;
end
$$;

comment on function vpn.show_job is
  'For admins only. status: waiting (from due_at on), working, failed (given up), delivered (also '
  'by another job since), or stale (its subscription is over). Reads only.';

grant execute on function vpn.show_job to atlas_admin, atlas_dba;
