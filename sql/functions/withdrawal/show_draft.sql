-- A drafted withdrawal, as its confirm screens show it.
-- Locks: none.
-- Raises: WD001, 22023.
create or replace function withdrawal.show_draft(p_telegram_id bigint, p_draft_id uuid)
returns table (
  draft_id uuid, status text, amount_kopecks bigint, requisites text, expires_at timestamptz,
  withdrawal_id bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_draft_id is not null, 'p_draft_id: the id from withdrawal.draft');

  return query
  select d.draft_id,
         case when w.withdrawal_id is not null then 'submitted'
              when d.requisites is null or d.expires_at <= v_now then 'expired'
              else 'open' end,
         d.amount_kopecks::bigint, d.requisites, d.expires_at, w.withdrawal_id
  from withdrawal.draft d
  left join withdrawal.withdrawal w
    on w.telegram_id = d.telegram_id and w.draft_id = d.draft_id
  where d.telegram_id = p_telegram_id and d.draft_id = p_draft_id;
  if not found then
    perform core._refuse('WD001', format('draft_id %s', p_draft_id));
  end if;
end
$$;

comment on function withdrawal.show_draft is
  'status: open, submitted (withdrawal_id is what it became) or expired. Requisites are sealed, '
  'and null once submitted or purged. Another user''s draft is WD001. Reads only.';

grant execute on function withdrawal.show_draft to atlas_bot, atlas_dba;
