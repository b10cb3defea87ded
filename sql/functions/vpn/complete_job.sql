-- Ends a provisioning job that the node has done; stores the key and queues its message.
-- Locks: user, outbox.task row, subscription, vpn.placement.
-- Raises: VP001, 22023, OP001.
create or replace function vpn.complete_job(
  p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text default null)
returns table (job_id bigint, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_job record;
  v_task record;
begin
  perform core._guard();
  perform core._require(p_job_id is not null, 'p_job_id: the id from claim_jobs');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_jobs');
  perform core._require(
    p_key_uri is null or (p_key_uri ~ '^[^[:cntrl:][:space:]]+$' and length(p_key_uri) <= 2048),
    'p_key_uri: null for a remove, or 1 to 2048 characters without spaces');

  perform core._require(p_node is null or p_node ~ '^[a-z0-9][a-z0-9-]{0,31}$',
                        'p_node: null, or the name of the node that has the key');

  select l.telegram_id, l.is_leased, l.is_finished into v_job
  from outbox._lock_leased('provision', p_job_id, p_lease_token) l;
  if not v_job.is_leased then
    perform core._refuse('VP001', format('job_id %s', p_job_id));
  end if;
  select t.name, t.outcome, t.vpn_uuid, t.purchase_id,
         vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, core.now()) as is_stale
  into v_task
  from outbox.task t
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  where t.telegram_id = v_job.telegram_id and t.task_id = p_job_id;
  if v_task.outcome = 'failed' then
    perform core._refuse('VP001', format('job_id %s was given up', p_job_id));
  elsif v_job.is_finished then
    return query select p_job_id, true;
    return;
  end if;
  perform core._require(v_task.name = 'remove' or v_task.is_stale or p_key_uri is not null,
                        'p_key_uri: the key that the node gave');
  perform outbox._finish(v_job.telegram_id, p_job_id, 'done');
  perform vpn._place(v_task.vpn_uuid, v_job.telegram_id,
                     case when v_task.name = 'add' and not v_task.is_stale then p_node end);

  if v_task.name = 'add' and not v_task.is_stale then
    update subscription.subscription s
    set activation = 'active', key_uri = p_key_uri
    where s.telegram_id = v_job.telegram_id
      and (s.activation <> 'active' or s.key_uri is distinct from p_key_uri);
    if found then
      insert into outbox.task (
        telegram_id, kind, name, due_at, created_at, is_repeatable, purchase_id)
      values (v_job.telegram_id, 'message', 'key_ready', core.now(), core.now(), true,
              v_task.purchase_id);
    end if;
  end if;

  return query select p_job_id, false;
end
$$;

comment on function vpn.complete_job is
  'The node has the identity (or has it no more). A new or changed key goes out as message '
  'key_ready. p_node is where it leads. A second call with the same lease token is a replay.';

grant execute on function vpn.complete_job to atlas_worker, atlas_dba;
