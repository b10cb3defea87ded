-- When the incident that is on now was switched on.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._incident_since()
returns timestamptz
language sql
stable
as $$
  select i.set_at
  from ops.incident i
  where i.incident_id > coalesce(
    (select o.incident_id from ops.incident o
     where not o.is_on order by o.incident_id desc limit 1), 0)
  order by i.incident_id
  limit 1
$$;

comment on function ops._incident_since is
  'The first of the rows since it was off last: rewriting the texts begins no new incident.';
