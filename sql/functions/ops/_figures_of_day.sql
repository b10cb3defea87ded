-- What happened on a day, by name.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._figures_of_day(p_day date)
returns table (name text, value bigint)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
  v_from timestamptz := p_day::timestamp at time zone 'UTC';
  v_to timestamptz := (p_day + 1)::timestamp at time zone 'UTC';
  v_month timestamptz := date_trunc('month', p_day::timestamp) at time zone 'UTC';
begin
  return query
  select 'users_new', count(*)
  from account.account u
  where u.registered_at >= v_from and u.registered_at < v_to;

  return query
  with moved as (
    select t.telegram_id, t.version, t.reason, t.debit_account, t.credit_account,
           t.amount_kopecks::bigint as amount, t.actor_id,
           t.reason in ('purchase', 'provider_purchase') as is_sale,
           case t.reason when 'purchase' then 'balance'
                         else coalesce(p.provider, 'other') end as way
    from ledger.transfer t
    left join billing.payment p on p.telegram_id = t.telegram_id and p.payment_id = t.payment_id
    where t.created_at >= v_from and t.created_at < v_to
  ), payers as (
    select m.telegram_id, min(m.version) as version
    from moved m where m.is_sale group by m.telegram_id
  ), before as (
    select y.telegram_id,
           max(o.created_at) filter (
             where o.reason in ('purchase', 'provider_purchase')) as last_at
    from payers y
    left join ledger.transfer o on o.telegram_id = y.telegram_id and o.version < y.version
    group by y.telegram_id
  )
  select 'revenue_' || m.way, sum(m.amount)::bigint
  from moved m where m.is_sale group by m.way
  union all
  select 'received_' || m.way, sum(m.amount)::bigint
  from moved m where m.debit_account = 'provider' group by m.way
  union all
  select x.name, x.value
  from (select count(*) filter (where m.is_sale) as sales,
               coalesce(sum(m.amount) filter (where m.reason = 'refund'), 0)::bigint as refunded,
               coalesce(sum(case when m.debit_account = 'revenue' then m.amount
                                 when m.credit_account = 'revenue' then -m.amount end)
                 filter (where m.reason = 'reversal'), 0)::bigint as reversed,
               count(*) filter (where m.reason = 'withdrawal_payout') as approved,
               count(*) filter (
                 where m.reason = 'withdrawal_return' and m.actor_id is not null) as rejected
        from moved m) s
  cross join lateral (values
    ('sales', s.sales), ('refunded', s.refunded), ('reversed', s.reversed),
    ('withdrawals_approved', s.approved), ('withdrawals_rejected', s.rejected)) x (name, value)
  union all
  select x.name, x.value
  from (select count(*) filter (where b.last_at is null) as ever,
               count(*) filter (where b.last_at is null or b.last_at < v_month) as of_month
        from before b) s
  cross join lateral (values
    ('payers_first', s.ever), ('payers_of_month', s.of_month)) x (name, value);

  return query
  select x.name, x.value::bigint
  from (select count(*) as keys,
               percentile_disc(array[0.5, 0.95]) within group (
                 order by extract(epoch from t.finished_at - t.created_at) * 1000) as took
        from outbox.task t
        where t.created_at >= v_from and t.created_at < v_to
          and t.kind = 'provision' and t.name = 'add' and t.outcome = 'done') k
  cross join lateral (values ('keys', k.keys::numeric), ('key_median', k.took[1]::numeric),
                             ('key_p95', k.took[2]::numeric)) x (name, value)
  where x.value is not null;
end
$$;

comment on function ops._figures_of_day is
  'From the ledger, the outbox and the users: revenue_<way> is what purchases and renewals took in '
  '(balance: of money that came before), received_<way> is money from the providers. '
  'payers_of_month: whose first purchase of the month it was; payers_first: the first ever. '
  'key_median and key_p95: milliseconds from the promise of a key to its delivery.';
