-- Whether somebody is in a segment.
-- Locks: none.
-- Raises: nothing.
create or replace function broadcast._is_meant(
  p_segment broadcast.segment, p_expires_at timestamptz, p_has_bought boolean, p_now timestamptz)
returns boolean
language sql
stable
as $$
  select case p_segment
           when 'all' then true
           when 'active' then p_expires_at > p_now
           when 'expired' then p_expires_at <= p_now
           when 'no_subscription' then (p_expires_at > p_now) is not true
           when 'never_bought' then not p_has_bought
         end
$$;

comment on function broadcast._is_meant is
  'By when the subscription ends (null: none) and whether one was ever bought.';
