-- What the specs play on: a stopped clock, and scenes. A scene is a state of the whole database around one user, Anna
-- (1001), made once by calls of the contract and put back before each permutation by `call scene.set('…')`.
create schema scene;
grant usage on schema scene to public;
set timezone = 'UTC';

create table scene.clock (at timestamptz not null, scene text);
insert into scene.clock values ('2026-02-28 12:00Z');
grant select on scene.clock to public;
create or replace function core.now() returns timestamptz language sql volatile as $$ select c.at from scene.clock c $$;
create procedure scene.move_clock(p_at timestamptz) language sql as $$ update scene.clock set at = p_at $$;

-- isolationtester shows an error's message only: let it begin with the SQLSTATE.
update core.refusal set message = sqlstate || ' ' || message;

-- Names for what the scenes hold; zeros for what is not there.
create function scene.purchase(p_key text) returns uuid language sql stable as $$
  select coalesce((select u.purchase_id from billing.purchase u where u.idempotency_key = p_key),
                  '00000000-0000-0000-0000-000000000000') $$;
create function scene.withdrawal(p_key text) returns bigint language sql stable as $$
  select coalesce((select w.withdrawal_id from withdrawal.withdrawal w where w.idempotency_key = p_key), 0) $$;
create function scene.draft(p_key text) returns uuid language sql stable as $$
  select d.draft_id from withdrawal.draft d where d.idempotency_key = p_key $$;
create function scene.corporate() returns bigint language sql stable as $$
  select coalesce((select c.request_id from account.corporate_request c
                   where c.idempotency_key = 'corporate'), 0) $$;
create function scene.payment(p_charge_id text) returns bigint language sql stable as $$
  select c.payment_id from billing.charge c where c.charge_id = p_charge_id $$;
create function scene.broadcast() returns bigint language sql stable as $$
  select max(b.broadcast_id) from broadcast.broadcast b $$;
-- A moment as the time from now, which is the same in every run.
create function scene.away(p_at timestamptz) returns text language sql volatile as $$
  select case when p_at >= c.at then '+' else '-' end || greatest(p_at - c.at, c.at - p_at) from scene.clock c $$;

-- ops.reconcile() with a plan that is kept: a function in SQL is planned anew at each call, which takes longer than the rest
-- of a permutation.
do $$ begin
  execute format($f$
    create function scene.reconcile() returns table (check_name text, subject text, detail text)
    language plpgsql volatile as $p$
    #variable_conflict use_column
    begin return query %s; end $p$ $f$,
    (select p.prosrc from pg_proc p where p.oid = 'ops.reconcile'::regproc));
end $$;

-- What stands in the books: available/held/debt, the subscription, how many of what; and whatever ops.reconcile() finds.
create function scene.books(p_telegram_id bigint default 1001) returns table (line text) language plpgsql volatile as $$
begin
  return query
  select format('%s/%s/%s', w.available_kopecks, w.held_kopecks, w.debt_kopecks)
         || coalesce((select format(', %s %s %s', s.tariff, scene.away(s.expires_at), s.activation)
                      from subscription.subscription s where s.telegram_id = p_telegram_id), '')
         || format(', open %s, paid %s, uses %s, pending %s',
              (select count(*) from billing.purchase u where u.telegram_id = p_telegram_id and u.status = 'open'),
              (select count(*) from billing.purchase u where u.telegram_id = p_telegram_id and u.status = 'paid'),
              (select count(*) from promo.use),
              (select count(*) from withdrawal.withdrawal d
               where d.telegram_id = p_telegram_id and d.status = 'pending'))
  from wallet.wallet w where w.telegram_id = p_telegram_id;
  return query
  select format('WRONG: %s, %s: %s', r.check_name, r.subject, r.detail) from scene.reconcile() r;
end $$;

-- Scenes are kept row by row, in a table per table, with the task of each kind that a worker has leased.
create table scene.kept (scene text primary key, at timestamptz not null);
create table scene.leased (scene text, kind outbox.kind, task_id bigint, lease_token uuid, primary key (scene, kind));
create function scene.task(p_kind outbox.kind) returns bigint language sql stable as $$
  select coalesce((select l.task_id from scene.leased l join scene.clock c on c.scene = l.scene where l.kind = p_kind), 0) $$;
create function scene.token(p_kind outbox.kind) returns uuid language sql stable as $$
  select coalesce((select l.lease_token from scene.leased l join scene.clock c on c.scene = l.scene where l.kind = p_kind),
                  '00000000-0000-0000-0000-000000000000') $$;
create function scene.tables() returns table (name text, kept text) language sql stable as $$
  select c.oid::regclass::text, format('scene.%I', n.nspname || '_' || c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and n.nspname in ('account', 'wallet', 'ledger', 'promo', 'billing', 'subscription',
    'referral', 'withdrawal', 'outbox', 'vpn', 'broadcast', 'audit', 'ops')
    and c.relname not in ('batch', 'provider', 'tariff', 'tariff_price', 'topup_preset', 'level', 'feature', 'setting',
                          'scheduled_job', 'scheduled_job_run') $$; -- none of which a step changes
-- What a table looked like when a scene was put back last: other rows, or rows of later transactions, and it has changed.
create table scene.mark (name text primary key, rows bigint, newest bigint);
do $$
declare
  v_table record;
  v_body text := '';
  v_marks text := '';
begin
  for v_table in select * from scene.tables() order by 1 loop
    execute format('create table %s (scene text not null, was %s not null)', v_table.kept, v_table.name);
    v_marks := v_marks || format(
      'union all select %L, count(*), max(x.xmin::text::bigint) from %s x ', v_table.name, v_table.name);
    v_body := v_body || format($f$
      if %1$L = any (v_changed) then
        delete from %1$s x where not exists (select from %2$s k where k.scene = p_scene and k.was = x);
        insert into %1$s overriding system value
        select (k.was).* from %2$s k where k.scene = p_scene and not exists (select from %1$s x where x = k.was);
      end if;
      $f$, v_table.name, v_table.kept);
  end loop;
  execute 'create view scene.marks (name, rows, newest) as ' || substr(v_marks, 11);
  -- Only what has changed is written: thousands of permutations leave little behind for vacuum. The session is left
  -- without triggers and foreign keys, because each change of that setting throws its plans away.
  execute format($f$
    create procedure scene.set(p_scene text) language plpgsql as $p$
    declare
      v_changed text[];
    begin
      if current_setting('session_replication_role') <> 'replica' then
        perform set_config('session_replication_role', 'replica', false);
      end if;
      select array_agg(n.name) into v_changed
      from scene.marks n left join scene.mark m on m.name = n.name
      where (m.rows, m.newest) is distinct from (n.rows, n.newest)
        or p_scene is distinct from (select c.scene from scene.clock c);
      update scene.clock c set at = k.at, scene = p_scene from scene.kept k where k.scene = p_scene;
      %s
      insert into scene.mark as m select n.name, n.rows, n.newest from scene.marks n where n.name = any (v_changed)
      on conflict (name) do update set rows = excluded.rows, newest = excluded.newest;
    end $p$ $f$, v_body);
end $$;
-- The same for a session that goes on with something else.
create procedure scene.set_for_calls(p_scene text) language plpgsql as $$
begin
  call scene.set(p_scene);
  perform set_config('session_replication_role', 'origin', false);
end $$;
create procedure scene.keep(p_scene text) language plpgsql as $$
declare
  v_table record;
begin
  insert into scene.kept select p_scene, c.at from scene.clock c;
  for v_table in select * from scene.tables() loop
    execute format('insert into %s select %L, x from %s x', v_table.kept, p_scene, v_table.name);
  end loop;
  insert into scene.leased
  select p_scene, t.kind, t.task_id, t.lease_token from outbox.task t
  where t.telegram_id = 1001 and t.leased_until is not null and t.finished_at is null;
end $$;

-- Ends every job and message that is waiting, by other hands than the specs'.
create procedure scene.work_off() language plpgsql as $$
begin
  update outbox.task t set finished_at = core.now(), outcome = 'done' where t.finished_at is null and t.kind = 'message';
  perform vpn.complete_job(j.job_id, j.lease_token, 'vless://' || j.job_id, 'old-1')
  from vpn.claim_jobs('scene', 100, interval '1 minute') j;
  update outbox.task t set finished_at = core.now(), outcome = 'done' where t.finished_at is null and t.kind = 'message';
end $$;

-- A node that is draining: all keys lead to it.
insert into vpn.node (name, is_draining, is_up, reported_at) values ('old-1', true, true, core.now());

-- The shop: three admins, Carl who invited Anna, who invited Bert; a code for four uses, of which Bert has one; a broadcast,
-- which Anna is being sent.
do $$
begin
  perform account.register(i, 'admin', 'en', null) from generate_series(1, 3) i;
  perform account.grant_admin(i, 'founder') from generate_series(1, 3) i;
  perform account.register(1003, 'carl', 'en', null);
  perform account.register(1001, 'anna', 'en', 'ref_' || a.referral_code)
  from account.account a where a.telegram_id = 1003;
  perform account.register(1002, 'bert', 'en', 'ref_' || a.referral_code)
  from account.account a where a.telegram_id = 1001;
  perform wallet.credit(1001, 84900, 1, 'gift', 'gift');
  perform wallet.credit(1002, 200000, 1, 'gift', 'gift');
  perform promo.issue(1, 'SPRING', 20, 4, 2, null, 'spring');
  perform billing.open_purchase(1002, 'basic', 1, 'SPRING', 'berts');
  perform billing.pay_from_balance(1002, scene.purchase('berts'));
  call scene.work_off();
  perform broadcast.prepare(1, 'news', 'info', 'all', 'text', null, null, 'news');
  perform broadcast.start(1, scene.broadcast());
  insert into broadcast.recipient (telegram_id, broadcast_id, variant, outcome, attempt, lease_token, leased_until)
  values (1001, scene.broadcast(), 'a', 'sending', 1, '00000000-0000-4000-8000-000000000001', 'infinity');
  call scene.keep('shop');
end $$;

-- What Anna has at the moment p_at, whatever came before: an overdue purchase and a stale draft, an open purchase, both
-- with the code; a top-up, a draft, money in suspense, a message to be sent, cashback to come, and soon a new key, like
-- everybody.
create procedure scene.furnish(p_at timestamptz) language plpgsql as $$
begin
  call scene.move_clock(p_at - interval '31 minutes');
  perform billing.open_purchase(1001, 'basic', 1, 'SPRING', 'overdue');
  perform withdrawal.draft(1001, 50000, 'v1:aaaa', 'stale');
  call scene.move_clock(p_at);
  perform billing.open_purchase(1001, 'basic', 1, 'SPRING', 'buy');
  perform billing.open_topup(1001, 25000, 'topup');
  perform withdrawal.draft(1001, 60000, 'v1:aaaa', 'draft');
  perform billing.settle_payment('cryptobot', 'lost', null, null, 5000, 'RUB', null);
  perform referral.pay_due(null, 100);
  perform billing.open_purchase(1002, 'basic', 12, null, 'berts second');
  perform billing.pay_from_balance(1002, scene.purchase('berts second'));
  perform vpn.reissue_all(1, 'all');
  update outbox.task t set finished_at = core.now(), outcome = 'done' where t.finished_at is null and t.kind = 'message';
  insert into outbox.task (telegram_id, kind, name, due_at, created_at)
  values (1001, 'message', 'trial_six_hours', p_at, p_at);
end $$;

create procedure scene.lease() language plpgsql as $$
begin
  perform vpn.claim_jobs('worker', 10, interval '1 minute');
  perform notify.claim('worker', 10, interval '1 minute');
end $$;

-- Before her first purchase: no subscription, no trial yet.
do $$
begin
  call scene.furnish('2026-03-01 12:00Z');
  perform notify.claim('worker', 10, interval '1 minute');
  call scene.keep('newcomer');
end $$;

-- Two months of basic: the first from her balance, the second by Crypto Pay, which the node is to be told of yet. The
-- end is three days away, when the first reminder is due.
do $$
begin
  call scene.set_for_calls('shop');
  call scene.move_clock('2026-03-01 12:00Z');
  perform billing.open_purchase(1001, 'basic', 1, null, 'first');
  perform billing.pay_from_balance(1001, scene.purchase('first'));
  call scene.work_off();
  perform billing.open_purchase(1001, 'basic', 1, null, 'second');
  perform billing.settle_payment('cryptobot', 'second', scene.purchase('second'), null, 14900, 'RUB', null);
  call scene.furnish('2026-04-28 12:00Z');
  call scene.keep('unclaimed');
  call scene.lease();
  call scene.keep('subscriber');

  perform withdrawal.request(1001, 55000, 'v1:aaaa', 'pending');
  perform account.request_corporate(1001, 'Acme', 'me', 'corporate');
  call scene.keep('withdrawing');

  call scene.set_for_calls('subscriber');
  perform account.block(1, 1001, 'a scene');
  call scene.keep('blocked');
end $$;

-- Five hours before the end, with auto-renewal; and a second after it, without.
create procedure scene.live_until(p_at timestamptz) language plpgsql as $$
begin
  call scene.set_for_calls('shop');
  call scene.move_clock('2026-03-01 12:00Z');
  perform billing.open_purchase(1001, 'basic', 1, null, 'first');
  perform billing.pay_from_balance(1001, scene.purchase('first'));
  call scene.furnish(p_at);
  call scene.lease();
end $$;
do $$
begin
  call scene.live_until('2026-04-01 07:00Z');
  perform subscription.set_auto_renew(1001, true);
  call scene.keep('renewing');
  call scene.live_until('2026-04-01 12:00:01Z');
  perform account.request_corporate(1001, 'Acme', 'me', 'corporate');
  call scene.keep('over');
end $$;
