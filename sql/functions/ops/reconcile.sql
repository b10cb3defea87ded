-- Compares the books with each other: no rows when they are right.
-- Locks: none.
-- Raises: nothing.
create or replace function ops.reconcile()
returns table (check_name text, subject text, detail text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
  select r.check_name, r.subject, r.detail from ops._reconcile_ledger() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_accounts() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_purchases() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_payments() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_promo() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_refunds() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_subscriptions() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_periods() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_referrals() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_withdrawals() r
  union all
  select 'dead_letter', d.job_name || ' ' || d.subject, d.error
  from ops.dead d where d.job_name like '%\_due'
$$;

comment on function ops.reconcile is
  'Every check sees the same snapshot, so it is true in the middle of any load. One row per '
  'disagreement: which check, on whom or what, and the figures. Reads only.';

grant execute on function ops.reconcile to atlas_auditor, atlas_worker, atlas_dba;
