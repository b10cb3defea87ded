-- A user's movements of money, newest first.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function wallet.statement(
  p_telegram_id bigint, p_limit int, p_before_version bigint)
returns table (
  version bigint, created_at timestamptz, reason text, amount_kopecks bigint,
  available_kopecks bigint, held_kopecks bigint, reference text, moved_kopecks bigint,
  note text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform core._require(p_before_version is null or p_before_version >= 1,
                        'p_before_version: null for the newest, or a version');

  if not exists (select 1 from wallet.wallet w where w.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select t.version, t.created_at, t.reason::text,
         case when t.credit_account = 'available' then t.amount_kopecks
              when t.debit_account = 'available' then -t.amount_kopecks
              else 0 end::bigint,
         t.available_kopecks::bigint, t.held_kopecks::bigint,
         coalesce('withdrawal:' || t.withdrawal_id, 'purchase:' || t.purchase_id,
                  'payment:' || t.payment_id, 'admin:' || t.actor_id),
         t.amount_kopecks::bigint, t.note
  from ledger.transfer t
  where t.telegram_id = p_telegram_id
    and t.version < coalesce(p_before_version, 9223372036854775807)
  order by t.version desc
  limit p_limit;
end
$$;

comment on function wallet.statement is
  'The ledger of one user, newest first; the next page begins before the last version seen. '
  'amount_kopecks is the signed change of the available balance (0 where a provider paid the shop'
  ' directly), moved_kopecks what moved. Reads only.';

grant execute on function wallet.statement to atlas_bot, atlas_admin, atlas_auditor, atlas_dba;
