-- Refuses a provider that no event can come from.
-- Locks: none.
-- Raises: PY001.
create or replace function billing._require_provider(p_provider text)
returns void
language plpgsql
stable
as $$
begin
  if not exists (select 1 from billing.provider p
                 where p.provider = p_provider and p.is_settled_by_event) then
    perform core._refuse('PY001', 'p_provider: ' || coalesce(left(p_provider, 64), 'null'));
  end if;
end
$$;

comment on function billing._require_provider is 'Providers whose events bring money: not manual.';
