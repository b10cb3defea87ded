-- How many users and subscriptions there are, by name.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._figures_now(p_now timestamptz)
returns table (name text, value bigint)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
  return query
  select x.name, x.value
  from (select count(*) as users, count(*) filter (where u.is_blocked) as blocked,
               count(*) filter (where not u.is_reachable) as unreachable
        from account.account u) s
  cross join lateral (values ('now_users', s.users), ('now_blocked', s.blocked),
                             ('now_unreachable', s.unreachable)) x (name, value);

  return query
  select x.name, x.value
  from (select count(*) filter (where s.expires_at > p_now and s.period <> 'trial') as active,
               count(*) filter (where s.expires_at > p_now and s.period = 'trial') as trials,
               count(*) filter (where s.expires_at <= p_now) as expired
        from subscription.subscription s) n
  cross join lateral (values ('now_active', n.active), ('now_trials', n.trials),
                             ('now_expired', n.expired)) x (name, value);

  return query
  select 'now_tariff_' || s.tariff, count(*)
  from subscription.subscription s
  where s.expires_at > p_now and s.period <> 'trial'
  group by s.tariff;
end
$$;

comment on function ops._figures_now is
  'Reads every user and every subscription once: for the job, never for a screen.';
