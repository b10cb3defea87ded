-- Works on the request that everybody be given a new key: the next few people.
-- Locks: lease, users (rows, skip locked), the request's row, subscription.
-- Raises: OP001, OP002, OP003, 22023.
create or replace function vpn.reissue_due(p_epoch bigint, p_limit int)
returns table (reissued int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_request record;
  v_people bigint[];
  v_locked bigint[];
  v_user bigint;
  v_now timestamptz;
  v_tally record;
  v_done int := 0;
  v_skipped int := 0;
  v_failed int := 0;
begin
  perform ops._enter_due('vpn.reissue_due', p_epoch, p_limit);
  select r.request_id, r.reached_id, least(p_limit, vpn._reissue_room(r.request_id)) as room
  into v_request
  from vpn.reissue_request r
  where r.finished_at is null and r.cancelled_at is null;
  if not found or v_request.room < 1 then
    return query select 0;
    return;
  end if;

  -- Not by the end: a purchase that is not committed yet may just have moved it.
  v_people := array(
    select s.telegram_id from subscription.subscription s
    where s.telegram_id > v_request.reached_id and s.activation <> 'none'
    order by s.telegram_id
    limit v_request.room);
  v_locked := array(
    select a.telegram_id from account.account a
    where a.telegram_id = any (v_people)
    order by a.telegram_id
    for no key update skip locked);
  perform 1
  from vpn.reissue_request r
  where r.request_id = v_request.request_id and r.cancelled_at is null
  for no key update;
  if not found then
    return query select 0;
    return;
  end if;
  v_now := core.now();

  v_user := (select min(p.id) from unnest(v_people) p (id) where p.id <> all (v_locked));
  v_locked := array(select l.id from unnest(v_locked) l (id)
                    where l.id < v_user or v_user is null order by l.id);
  begin
    v_tally := vpn._reissue_people(v_request.request_id, v_locked, v_now);
    v_done := v_tally.done;
    v_skipped := v_tally.skipped;
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_locked loop
      begin
        v_tally := vpn._reissue_people(v_request.request_id, array[v_user], v_now);
        v_done := v_done + v_tally.done;
        v_skipped := v_skipped + v_tally.skipped;
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('vpn.reissue_due', 'telegram_id:' || v_user, sqlerrm);
        v_failed := v_failed + 1;
      end;
    end loop;
  end;

  update vpn.reissue_request r
  set reached_id = coalesce(v_locked[cardinality(v_locked)], r.reached_id),
      done = r.done + v_done, skipped = r.skipped + v_skipped, failed = r.failed + v_failed,
      finished_at = case when cardinality(v_people) = 0 then v_now end
  where r.request_id = v_request.request_id;
  return query select v_done;
end
$$;

comment on function vpn.reissue_due is
  'At most p_limit people, in the order of their ids, up to the first who is busy; nobody while '
  'what it has promised so far waits for the nodes (setting reissue_tasks_at_once). Who has had a '
  'new identity since the request is passed by; who cannot be given one is a dead letter. p_epoch: '
  'of the lease vpn.reissue_due; null by hand.';

grant execute on function vpn.reissue_due to atlas_worker, atlas_dba;
