\set number :base + :n * :clients + :client_id
\set n :n + 1
select * from billing.settle_payment(p_provider => 'cryptobot', p_charge_id => :number, p_purchase_id => lpad(:number, 32, '0')::uuid, p_payer_id => null, p_amount_minor => 14900, p_currency => 'RUB', p_raw => '{"update_type": "invoice_paid", "payload": {"status": "paid", "currency_type": "fiat", "fiat": "RUB", "amount": "149.00", "paid_asset": "USDT", "paid_amount": "1.86"}}');
