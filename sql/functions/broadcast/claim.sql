-- Leases people of a running broadcast to write to.
-- Locks: the broadcast's row, broadcast.recipient rows (skip locked).
-- Raises: 22023, OP001, OP003.
create or replace function broadcast.claim(p_holder text, p_limit int, p_lease interval)
returns table (
  broadcast_id bigint, telegram_id bigint, variant text, message text, lease_token uuid,
  language text, offer text)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_running record;
  v_people bigint[];
begin
  perform core._guard('broadcasts');
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  perform broadcast._close_lost(core.now());

  select b.broadcast_id, b.segment, b.text_b is not null as is_ab, b.reached_id into v_running
  from broadcast.broadcast b
  where b.status = 'running' and (b.starts_at is null or b.starts_at <= core.now())
  order by b.broadcast_id
  limit 1
  for no key update;
  if not found then
    return;
  end if;
  v_now := core.now();

  v_people := broadcast._take(
    v_running.broadcast_id, v_running.segment, v_running.is_ab, v_running.reached_id, p_holder,
    p_limit, v_now, v_now + p_lease);
  if cardinality(v_people) = 0 then
    perform broadcast._end_if_done(v_running.broadcast_id, v_now);
  end if;

  return query
  select r.broadcast_id, r.telegram_id::bigint, r.variant,
         case r.variant when 'b' then b.text_b else b.text_a end, r.lease_token, a.language,
         b.offer::text
  from broadcast.recipient r
  join broadcast.broadcast b on b.broadcast_id = r.broadcast_id
  join account.account a on a.telegram_id = r.telegram_id
  where r.telegram_id = any (v_people) and r.broadcast_id = v_running.broadcast_id
  order by r.telegram_id;
end
$$;

comment on function broadcast.claim is
  'Marks up to p_limit people, and gives what to send them; then broadcast.sent, or '
  'broadcast.failed where it is certain that nothing was delivered. With neither, the outcome is '
  'unknown once the lease has run out, and stays so: nobody gets a broadcast twice. So claim no '
  'more than is sent at once. No rows: nothing is running, or the rest waits for an attempt.';

grant execute on function broadcast.claim to atlas_worker, atlas_dba;
