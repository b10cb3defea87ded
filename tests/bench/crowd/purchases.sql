insert into billing.purchase (
  telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind, discount_percent, price_kopecks,
  idempotency_key, opened_at, expires_at, expiry_check_at, quoted_expires_at)
select {first} + n.number % {users}, lpad(n.number::text, 32, '0')::uuid, 'subscription', 'open', 'basic', 1, 14900, 'none',
       0, 14900, 'bench:' || n.number, t.now, t.now + interval '1 day', t.now + interval '1 day', t.now + interval '1 month'
from generate_series({from}::bigint, {to}) n (number)
cross join (values (core.now())) t (now)
