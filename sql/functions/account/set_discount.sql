-- Gives a user a personal discount, or takes it away.
-- Locks: account.admin row (share), user, account.draft row.
-- Raises: US001, US003, US004, 22023, OP001, OP003.
create or replace function account.set_discount(
  p_admin_id bigint, p_telegram_id bigint, p_percent int, p_expires_at timestamptz,
  p_draft_id uuid default null)
returns table (telegram_id bigint, discount_percent int, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_percent smallint;
  v_expires_at timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_percent is null or p_percent between 0 and 99,
                        'p_percent: 1 to 99, or 0 or null for none');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_now := core.now();
  perform core._require(p_expires_at is null or p_expires_at > v_now,
                        'p_expires_at: in the future, or null for no end');
  set_discount.is_replay := not account._take_draft(p_admin_id, p_draft_id, 'set_discount');
  v_percent := nullif(p_percent, 0)::smallint;
  v_expires_at := case when v_percent is not null then p_expires_at end;

  update account.account a
  set discount_percent = v_percent, discount_expires_at = v_expires_at
  where a.telegram_id = p_telegram_id
    and (a.discount_percent::smallint, a.discount_expires_at)
        is distinct from (v_percent, v_expires_at)
    and not set_discount.is_replay;
  if found then
    perform audit._record('account.set_discount', p_admin_id, p_telegram_id::text,
      jsonb_build_object('percent', v_percent, 'expires_at', v_expires_at));
  end if;

  return query
  select p_telegram_id, account._discount_percent(p_telegram_id, v_now), set_discount.is_replay;
end
$$;

comment on function account.set_discount is
  'A personal discount on everything, from now until p_expires_at (null: for good). It never adds '
  'to another discount: the largest wins, and discount_percent is what the user has now without a '
  'promo code. Safe to call again; with p_draft_id, of account.draft_action, a repeat changes '
  'nothing, whatever was done since.';

grant execute on function account.set_discount to atlas_admin, atlas_dba;
