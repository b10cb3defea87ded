-- What jobs and handlers gave up, newest first.
-- Locks: none.
-- Raises: US003, 22023.
create or replace function ops.list_dead_letters(p_admin_id bigint, p_before bigint, p_limit int)
returns table (dead_id bigint, job_name text, subject text, error text, died_at timestamptz)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select d.dead_id, d.job_name, d.subject, d.error, d.died_at
  from ops.dead d
  where p_before is null or d.dead_id < p_before
  order by d.dead_id desc
  limit p_limit;
end
$$;

comment on function ops.list_dead_letters is
  'For admins only: view ops.dead_letter, a page at a time by the primary key; p_before is the '
  'last page''s last dead_id, null for the first page. Reads only.';

grant execute on function ops.list_dead_letters to atlas_admin, atlas_dba;
