-- Makes a drafted withdrawal a real one.
-- Locks: user, wallet.
-- Raises: WA001, WD001, WD003, WD004, US001, US002, 22023, OP001, OP003.
create or replace function withdrawal.submit(p_telegram_id bigint, p_draft_id uuid)
returns table (
  withdrawal_id bigint, status text, available_kopecks bigint, held_kopecks bigint,
  is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_draft record;
begin
  perform core._guard('withdrawals');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_draft_id is not null, 'p_draft_id: the id from withdrawal.draft');
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  submit.is_replay := exists (
    select 1 from withdrawal.withdrawal w
    where w.telegram_id = p_telegram_id and w.draft_id = p_draft_id);
  if not submit.is_replay then
    select d.amount_kopecks, d.requisites, d.expires_at into v_draft
    from withdrawal.draft d
    where d.telegram_id = p_telegram_id and d.draft_id = p_draft_id;
    if not found then
      perform core._refuse('WD001', format('draft_id %s', p_draft_id));
    elsif v_draft.requisites is null or v_draft.expires_at <= v_now then
      perform core._refuse('WD001', format('draft_id %s expired at %s', p_draft_id,
                                           v_draft.expires_at));
    end if;

    perform withdrawal._hold(p_telegram_id, v_is_blocked, v_draft.amount_kopecks,
                             v_draft.requisites, v_now, null, p_draft_id);
    update withdrawal.draft d
    set requisites = null
    where d.telegram_id = p_telegram_id and d.draft_id = p_draft_id;
  end if;

  return query
  select w.withdrawal_id, 'pending', w.available_after_kopecks::bigint,
         w.held_after_kopecks::bigint, submit.is_replay
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.draft_id = p_draft_id;
end
$$;

comment on function withdrawal.submit is
  'withdrawal.request with what was drafted: every check is made again. Its own key: a second call '
  'gives the first answer with is_replay = true. WD001 for a draft that is unknown, another '
  'user''s or expired; DETAIL says which.';

grant execute on function withdrawal.submit to atlas_bot, atlas_dba;
