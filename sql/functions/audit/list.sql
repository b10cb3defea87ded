-- What was done, and by whom, newest first, for admins.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function audit.list(
  p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit int)
returns table (
  event_id text, occurred_at timestamptz, actor_id bigint, actor_name text, action text,
  subject_id text, details jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan -- each filter has its own index
as $$
#variable_conflict use_column
declare
  v_before timestamptz := audit._event_at(p_before_id);
begin
  perform core._require(p_subject_id is null or length(p_subject_id) between 1 and 256,
                        'p_subject_id: null for all, or 1 to 256 characters');
  perform core._require(p_before_id is null or v_before is not null,
                        'p_before_id: null for the newest, or an event_id of this list');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select u.event_id, u.occurred_at, u.actor_id, n.username, u.action, u.subject_id, u.details
  from (
    (select i.event_id, e.occurred_at, e.actor_id, e.action, e.subject_id, e.details
     from audit.entry e
     cross join lateral (select 'e' || e.entry_id as event_id) i
     where (p_actor_id is null or e.actor_id = p_actor_id)
       and (p_subject_id is null or e.subject_id = p_subject_id)
       and (v_before is null or e.occurred_at <= v_before)
       and (v_before is null
            or (e.occurred_at, i.event_id collate "C") < (v_before, p_before_id collate "C"))
     order by e.occurred_at desc, i.event_id collate "C" desc
     limit p_limit)
    union all
    (select i.event_id, t.created_at, t.actor_id, 'ledger.' || t.reason, t.telegram_id::text,
            jsonb_strip_nulls(
              jsonb_build_object('amount_kopecks', t.amount_kopecks, 'note', t.note))
     from ledger.transfer t
     cross join lateral (select 't' || t.telegram_id || '.' || t.version as event_id) i
     where t.actor_id is not null
       and (p_actor_id is null or t.actor_id = p_actor_id)
       and (p_subject_id is null or t.telegram_id = case
              when p_subject_id ~ '^[0-9]{1,16}$' then p_subject_id::bigint end)
       and (v_before is null or t.created_at <= v_before)
       and (v_before is null
            or (t.created_at, i.event_id collate "C") < (v_before, p_before_id collate "C"))
     order by t.created_at desc, i.event_id collate "C" desc
     limit p_limit)
  ) u
  left join account.account n on n.telegram_id = u.actor_id
  order by u.occurred_at desc, u.event_id collate "C" desc
  limit p_limit;
end
$$;

comment on function audit.list is
  'Audit entries, and the movements of money that admins made; what users moved themselves is in '
  'wallet.statement and audit.event. By who did it, by what it was done to (a user''s number), or '
  'all; the next page begins before the last event seen. Each way reads an index. Reads only.';

grant execute on function audit.list to atlas_admin, atlas_dba;
