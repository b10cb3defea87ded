-- What an export's columns are called, and which of them are numbers.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._export_columns(
  p_kind ops.export_kind, out header text[], out numbers text[])
language sql
immutable
as $$
  select case p_kind
    when 'users' then array[
      'telegram_id', 'username', 'language', 'registered_at', 'is_reachable', 'is_blocked',
      'blocked_at', 'blocked_reason', 'is_vip', 'discount_percent', 'discount_expires_at',
      'referrer_id', 'available_kopecks', 'held_kopecks', 'debt_kopecks', 'tariff',
      'subscription_expires_at']
    when 'subscriptions' then array[
      'telegram_id', 'username', 'tariff', 'period', 'started_at', 'expires_at', 'auto_renew',
      'activation']
    when 'ledger' then array[
      'transfer_id', 'telegram_id', 'version', 'created_at', 'reason', 'debit_account',
      'credit_account', 'amount_kopecks', 'available_kopecks', 'held_kopecks', 'debt_kopecks',
      'purchase_id', 'payment_id', 'withdrawal_id', 'actor_id', 'note']
    else array[
      'code', 'discount_percent', 'max_uses', 'per_user_limit', 'expires_at', 'is_active',
      'is_used'] end,
  array[
    'telegram_id', 'discount_percent', 'referrer_id', 'available_kopecks', 'held_kopecks',
    'debt_kopecks', 'transfer_id', 'version', 'amount_kopecks', 'payment_id', 'withdrawal_id',
    'actor_id', 'max_uses', 'per_user_limit']
$$;

comment on function ops._export_columns is
  'In the order of the cells that ops._export_users and its neighbours give. All that leaves the '
  'database by an export is named here: no keys, no identities on the nodes, no requisites.';
