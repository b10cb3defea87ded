-- What people are told above their screens now, if anything.
-- Locks: none.
-- Raises: 22023.
create or replace function ops.incident(p_language text)
returns table (is_on boolean, text text, since timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(length(p_language) between 1 and 16, 'p_language: such as ru or en');

  return query
  select coalesce(n.is_on, false),
         case when n.is_on and p_language = 'ru' then n.text_ru when n.is_on then n.text_en end,
         case when n.is_on then ops._incident_since() end
  from (select 1) one
  left join lateral (
    select i.is_on, i.text_ru, i.text_en
    from ops.incident i
    order by i.incident_id desc
    limit 1) n on true;
end
$$;

comment on function ops.incident is
  'One row, always. text and since are null while there is nothing to tell; who does not read '
  'Russian is told in English. since: when it was switched on, whatever was rewritten meanwhile. '
  'Reads only.';

grant execute on function ops.incident to atlas_bot, atlas_worker, atlas_admin, atlas_dba;
