-- The incident texts as they stand, and who set them.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.show_incident(p_admin_id bigint)
returns table (
  is_on boolean, text_ru text, text_en text, since timestamptz, set_at timestamptz, set_by bigint,
  set_by_username text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select coalesce(n.is_on, false), n.text_ru, n.text_en,
         case when n.is_on then ops._incident_since() end, n.set_at, n.set_by::bigint, a.username
  from (select 1) one
  left join lateral (
    select i.is_on, i.text_ru, i.text_en, i.set_at, i.set_by
    from ops.incident i
    order by i.incident_id desc
    limit 1) n on true
  left join account.account a on a.telegram_id = n.set_by;
end
$$;

comment on function ops.show_incident is
  'For admins only: one row, always. The texts stay for the next time when it is switched off; '
  'all but is_on is null where nobody has set anything yet. Reads only.';

grant execute on function ops.show_incident to atlas_admin, atlas_dba;
