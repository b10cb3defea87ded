package contract_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// sealedBooks is a database with ledger rows and audit entries of some users, all sealed in batches of about five.
func sealedBooks(t *testing.T) *bundle {
	t.Helper()
	b := setup(t)
	b.Buy(anna, "basic", 1, "one")
	b.Credit(bert, 5000)
	b.Credit(anna, 7000)
	b.Buy(anna, "basic", 1, "two")
	for i := range 6 {
		b.One("ops.set_setting", A{"p_name": "star_kopecks", "p_value": 200 + i})
	}
	b.sealAll(5)
	return b
}

// settled waits until no transaction on the server, which other tests use too, is older than this database's rows.
func (b *bundle) settled() {
	b.Helper()
	require.Eventually(b, func() bool {
		return b.owner.Value(`
			select pg_snapshot_xmin(pg_current_snapshot())::text::bigint > greatest(
			  (select max(recorded_xid) from ledger.transfer), (select max(recorded_xid) from audit.entry))`) == true
	}, patience, time.Millisecond)
}

// seal seals once what is settled.
func (b *bundle) seal(limit int) Row {
	b.Helper()
	b.settled()
	return b.One("audit.seal", A{"p_limit": limit})
}

// sealAll seals until nothing is left, and gives the head.
func (b *bundle) sealAll(limit int) Row {
	b.Helper()
	for {
		if last := b.seal(limit); last["sealed"] == 0 {
			return pick(last, "sealed_rows", "head")
		}
	}
}

// verdict is what audit.verify says.
func (b *bundle) verdict(conn pgx.Tx) any {
	b.Helper()
	row := b.On(b, conn).One("audit.verify", A{})
	require.Equal(b, row["first_bad"] == nil, row["is_intact"])
	return row["first_bad"]
}

// tampered runs statements as the owner with the triggers out of the way, gives what audit.verify makes of it and
// undoes them.
func (b *bundle) tampered(sql string, args ...any) any {
	b.Helper()
	ctx := context.Background()
	tx, err := b.harness.Owner.Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, withoutTriggers)
	require.NoError(b, err)
	_, err = tx.Exec(ctx, sql, args...)
	require.NoError(b, err, sql)
	return b.verdict(tx)
}

const withoutTriggers = `
	alter table ledger.transfer disable trigger transfer_is_append_only;
	alter table audit.entry disable trigger entry_is_append_only;
	alter table audit.batch disable trigger batch_is_append_only;`

func TestSealCoversEveryRow(t *testing.T) {
	b := setup(t)
	require.Equal(t, Row{"sealed_rows": 0, "head": noHead}, b.One("audit.head", A{}))
	require.Equal(t, Row{"is_intact": true, "sealed": 0, "first_bad": nil}, b.One("audit.verify", A{}))
	b.Credit(bert, 5000)
	rows := b.count("ledger.transfer") + b.count("audit.entry")
	head := b.sealAll(1)
	require.Equal(t, rows, head["sealed_rows"])
	require.Equal(t, head, b.One("audit.head", A{}))
	require.Equal(t, Row{"is_intact": true, "sealed": rows, "first_bad": nil}, b.One("audit.verify", A{}))
	require.Equal(t, 0, b.seal(5)["sealed"], "nothing is left")

	ids := b.owner.Value("select array_agg(id order by id) from audit.batch cross join unnest(row_ids) id")
	require.Equal(t, b.owner.Value(`select array_agg(id order by id) from (
		select 'transfer:' || telegram_id || '/' || version as id from ledger.transfer
		union all select 'entry:' || entry_id from audit.entry) rows`), ids, "each once")
	ranges := b.owner.Query("select from_xid, to_xid from audit.batch order by batch_id")
	for i, r := range ranges[1:] {
		require.Equal(t, ranges[i]["to_xid"], r["from_xid"], "no hole between the batches")
	}
}

func TestSealTakesTransactionsWhole(t *testing.T) {
	b := setup(t)
	b.sealAll(1000)
	b.script(`do $$ begin for i in 1..7 loop perform audit._record('one', null, i::text); end loop; end $$`)
	for range 3 {
		b.script(`select audit._record('apart', null, null)`)
	}
	require.Equal(t, 7, b.seal(2)["sealed"], "more than the limit, in one transaction")
	require.Equal(t, 2, b.seal(2)["sealed"])
	require.Equal(t, 1, b.seal(2)["sealed"])
	require.Equal(t, 0, b.seal(2)["sealed"])
}

// framed is a value as the canonical form has it.
func framed(value any) []byte {
	if value == nil {
		return []byte{0xff, 0xff, 0xff, 0xff}
	}
	text := fmt.Sprint(value)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
}

// TestCanonicalForm makes the hashes again, in Go: what is sealed today must verify with tomorrow's functions.
func TestCanonicalForm(t *testing.T) {
	b := setup(t)
	b.harness.BooksAreWrong("a ledger row with every column names a withdrawal that is not there")
	b.script(`
		insert into ledger.transfer (telegram_id, version, transfer_id, debit_account, credit_account, reason, amount_kopecks,
		  available_kopecks, held_kopecks, debt_kopecks, created_at, recorded_xid, purchase_id, payment_id, withdrawal_id,
		  actor_id, note, idempotency_key, correlation_id)
		values (1002, 1, 77, 'adjustment', 'available', 'admin_credit', 5, 5, 0, 0, '2027-03-05 10:00:00.5+03', 3,
		  '00000000-0000-4000-8000-000000000001', null, 9, 1, 'за всё', 'k', null);
		update wallet.wallet set available_kopecks = 5, version = 1 where telegram_id = 1002;
		insert into audit.entry (entry_id, occurred_at, actor_id, action, subject_id, details, recorded_xid, correlation_id)
		overriding system value values (1000, '0044-03-15 00:00:00+00 BC', null, 'a', '', '{"b": 1.50, "a": "x"}', 3, 'c')`)
	hash := func(values ...any) []byte {
		form := []byte{1}
		for _, value := range values {
			form = append(form, framed(value)...)
		}
		sum := sha256.Sum256(form)
		return sum[:]
	}
	entry := hash("entry", 1000, "0044-03-15 00:00:00.000000 BC", nil, "a", "", `{"a": "x", "b": 1.50}`, 3, "c")
	transfer := hash("transfer", 1002, 1, 77, "adjustment", "available", "admin_credit", 5, 5, 0, 0,
		"2027-03-05 07:00:00.500000 AD", 3, "00000000-0000-4000-8000-000000000001", nil, 9, 1, "за всё", "k", nil)
	b.settled()

	// The session's settings do not matter.
	tx, err := b.harness.DBA.Begin(context.Background())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(context.Background(), `set local timezone = 'Asia/Kathmandu'; set local datestyle = 'German';
		set local bytea_output = 'escape'; set local extra_float_digits = 0; set local client_encoding = 'UTF8';
		set local standard_conforming_strings = off; set local intervalstyle = 'sql_standard'`)
	require.NoError(t, err)
	sealed := b.On(t, tx).One("audit.seal", A{"p_limit": 2})
	require.Equal(t, 2, sealed["sealed"])

	form := []byte{1}
	for _, number := range []int{1, 0, 4, 2} { // batch 1, transactions 0 to before 4, two rows
		form = binary.BigEndian.AppendUint64(form, uint64(number))
	}
	form = append(form, make([]byte, 32)...)
	form = append(append(form, framed("entry:1000")...), entry...)
	form = append(append(form, framed("transfer:1002/1")...), transfer...)
	sum := sha256.Sum256(form)
	require.Equal(t, hex.EncodeToString(sum[:]), sealed["head"])
}

func TestX8EditedRows(t *testing.T) {
	b := sealedBooks(t)
	require.Nil(t, b.tampered("select 1"))
	// Whatever column it is.
	kinds := map[string]string{
		"bigint": "coalesce(?, 0) + 1", "text": "coalesce(?, '') || 'x'", "uuid": "gen_random_uuid()",
		"timestamp with time zone": "? + interval '1 microsecond'", "jsonb": `? || '{"x": 1}'`,
		"ledger.account": "'payout'", "ledger.reason": "'cashback'",
	}
	columns := b.owner.Query(`
		select a.attrelid::regclass::text as of, a.attname::text as name,
		  format_type(case when y.typtype = 'd' then y.typbasetype else y.oid end, null) as type
		from pg_attribute a join pg_type y on y.oid = a.atttypid
		where a.attrelid in ('ledger.transfer'::regclass, 'audit.entry'::regclass) and a.attnum > 0 and not a.attisdropped`)
	require.Len(t, columns, 27)
	for _, column := range columns {
		of, name := column["of"].(string), column["name"].(string)
		value, ok := kinds[column["type"].(string)]
		require.True(t, ok, column)
		row, id := "entry_id = 2", "entry:2"
		if of == "ledger.transfer" {
			row, id = "telegram_id = 1001 and version = 2", "transfer:1001/2"
		}
		edit := fmt.Sprintf("update %s set %s = %s where %s", of, name, strings.ReplaceAll(value, "?", name), row)
		want := id + " was edited"
		switch name {
		case "telegram_id", "version":
			want = id + " is missing"
			if name == "version" {
				edit = "update ledger.transfer set version = 99 where " + row
			}
		case "entry_id":
			want, edit = id+" is missing", "alter table audit.entry alter entry_id drop identity; "+
				"update audit.entry set entry_id = 99 where "+row
		}
		require.Equal(t, want, b.tampered(edit), "%s.%s", of, name)
	}
	require.Equal(t, "transfer:1001/1 was edited",
		b.tampered("update ledger.transfer set note = ''"), "the first of many")
	require.Equal(t, "entry:1 was edited",
		b.tampered(`update audit.entry set subject_id = coalesce(subject_id, '') || '!';
			update ledger.transfer set amount_kopecks = 1`), "in the order of the seal")
}

func TestX8ChainAttacks(t *testing.T) {
	b := sealedBooks(t)
	batches := b.count("audit.batch")
	require.Greater(t, batches, 2)
	cases := []struct{ name, tamper, bad string }{
		{"a row is gone", "delete from ledger.transfer where telegram_id = 1001 and version = 2", "transfer:1001/2 is missing"},
		{"an entry is gone", "delete from audit.entry where entry_id = 1", "entry:1 is missing"},
		{"the tail is gone", `delete from ledger.transfer
			where (telegram_id, version) = (select telegram_id, version from ledger.transfer order by recorded_xid desc limit 1)`,
			"transfer:1001/4 is missing"},
		{"all is gone", "truncate ledger.transfer", "transfer:1001/1 is missing"},
		{"two rows change places", `update ledger.transfer t set created_at = o.created_at, amount_kopecks = o.amount_kopecks,
			available_kopecks = o.available_kopecks, transfer_id = o.transfer_id from ledger.transfer o
			where t.telegram_id = 1001 and o.telegram_id = 1001 and t.version in (2, 3) and o.version = 5 - t.version`,
			"transfer:1001/2 was edited"},
		{"two rows change numbers", `update ledger.transfer set version = version + 100 where telegram_id = 1001 and version in (2, 3);
			update ledger.transfer set version = 105 - version where telegram_id = 1001 and version > 100`,
			"transfer:1001/2 was edited"},
		{"a row is added later", `insert into ledger.transfer (telegram_id, version, debit_account, credit_account, reason,
			  amount_kopecks, available_kopecks, held_kopecks, debt_kopecks, created_at, recorded_xid)
			select 1001, 9, 'adjustment', 'available', 'admin_credit', 5, 5, 0, 0, core.now(), to_xid - 1
			from audit.batch where batch_id = 1`, "transfer:1001/9 was added"},
		{"an entry is added later", `insert into audit.entry (occurred_at, action, recorded_xid) values (core.now(), 'a', 0)`,
			"entry:{next} was added"},
		{"a batch forgets a row", `update audit.batch set row_ids = row_ids[2:], row_hashes = row_hashes[2:],
			sealed_rows = sealed_rows - 1 where batch_id = 2`, "batch 2 was edited"},
		{"a batch in another order", `update audit.batch set
			row_ids = array[row_ids[2], row_ids[1]] || row_ids[3:],
			row_hashes = array[row_hashes[2], row_hashes[1]] || row_hashes[3:] where batch_id = 2`, "batch 2 was edited"},
		{"a batch with another row hash", `update audit.batch set row_hashes[1] = sha256('') where batch_id = 2`,
			"batch 2 was edited"},
		{"a row and its hash", `update ledger.transfer set amount_kopecks = 1 where telegram_id = 1001 and version = 1;
			update audit.batch b set row_hashes[array_position(b.row_ids, r.row_id)] = r.row_hash
			from audit._rows(0, 1000000000) r where r.row_id = 'transfer:1001/1' and r.row_id = any (b.row_ids)`,
			"batch {first} was edited"},
		{"another hash", `update audit.batch set hash = sha256('') where batch_id = 1`, "batch 1 was edited"},
		{"a batch and its hash", `update audit.batch set row_hashes[1] = sha256('') where batch_id = 1;
			update audit.batch set hash = audit._batch_hash(batch_id, from_xid, to_xid, row_ids, row_hashes, previous_hash)
			where batch_id = 1`, "entry:1 was edited"},
		{"another range", `update audit.batch set to_xid = to_xid + 1 where batch_id = 1`, "batch 1 was edited"},
		{"a count", `update audit.batch set sealed_rows = sealed_rows + 1 where batch_id = 1`, "batch 1 miscounts its rows"},
		{"another hash before", `update audit.batch set previous_hash = sha256('') where batch_id = 2`,
			"batch 2 does not follow batch 1"},
		{"a batch is gone", "delete from audit.batch where batch_id = 2", "batch 2 is missing"},
		{"the first batch is gone", "delete from audit.batch where batch_id = 1", "batch 1 is missing"},
		{"a batch from the future", `update audit.batch set to_xid = 1000000000000
			where batch_id = (select max(batch_id) from audit.batch)`, "batch {last} was edited"},
		{"a counter that went back", `update audit.batch set to_xid = 1000000000000, hash = audit._batch_hash(batch_id,
			from_xid, 1000000000000, row_ids, row_hashes, previous_hash)
			where batch_id = (select max(batch_id) from audit.batch)`,
			"the server's transaction counter is at {xid}, behind the seal at 1000000000000"},
	}
	names := map[string]any{
		"next":  b.owner.Value("select max(entry_id) + 1 from audit.entry"),
		"first": b.owner.Value("select min(batch_id) from audit.batch where 'transfer:1001/1' = any (row_ids)"),
		"last":  batches,
	}
	for _, test := range cases {
		got := fmt.Sprint(b.tampered(test.tamper))
		names["xid"] = ""
		if _, err := fmt.Sscanf(got, "the server's transaction counter is at %s", new(string)); err == nil {
			var at int
			_, err := fmt.Sscanf(got, "the server's transaction counter is at %d,", &at)
			require.NoError(t, err)
			names["xid"] = at
		}
		require.Equal(t, strings.NewReplacer(pairs(names)...).Replace(test.bad), got, test.name)
		names["next"] = b.owner.Value("select nextval(pg_get_serial_sequence('audit.entry', 'entry_id')) + 1")
	}
	require.Equal(t, true, b.One("audit.verify", A{})["is_intact"])
}

func TestX8AgainstACopyOfTheHead(t *testing.T) {
	b := sealedBooks(t)
	copied := b.One("audit.head", A{})
	against := func(conn pgx.Tx) Row {
		return b.On(t, conn).One("audit.verify_against",
			A{"p_sealed": copied["sealed_rows"], "p_head": copied["head"]})
	}
	try := func(tamper string) (plain any, against_ Row) {
		ctx := context.Background()
		tx, err := b.harness.Owner.Begin(ctx)
		require.NoError(t, err)
		defer func() { _ = tx.Rollback(ctx) }()
		_, err = tx.Exec(ctx, withoutTriggers+tamper)
		require.NoError(t, err, tamper)
		return b.verdict(tx), against(tx)
	}
	intact := Row{"is_intact": true, "sealed": copied["sealed_rows"], "first_bad": nil}
	plain, copyOf := try("select 1")
	require.Nil(t, plain)
	require.Equal(t, intact, copyOf)

	plain, copyOf = try("delete from audit.batch where batch_id = (select max(batch_id) from audit.batch)")
	require.Nil(t, plain, "a cut tail looks like a seal that is behind")
	require.Equal(t, fmt.Sprintf("no batch ends at %v rows", copied["sealed_rows"]), copyOf["first_bad"])
	plain, copyOf = try("truncate audit.batch; truncate ledger.transfer; truncate audit.entry")
	require.Nil(t, plain)
	require.Equal(t, false, copyOf["is_intact"])

	const rehash = `
		update ledger.transfer set amount_kopecks = 1 where telegram_id = 1001 and version = 1;
		truncate audit.batch;
		select * from audit.seal(100000);`
	plain, copyOf = try(rehash)
	require.Nil(t, plain, "who owns the chain can make another one")
	require.Contains(t, copyOf["first_bad"], fmt.Sprintf("the head at %v rows is ", copied["sealed_rows"]))
	plain, copyOf = try("update ledger.transfer set amount_kopecks = 1 where telegram_id = 1001 and version = 1")
	require.Equal(t, "transfer:1001/1 was edited", plain)
	require.Equal(t, plain, copyOf["first_bad"], "verify's word first")

	b.Credit(bert, 1)
	b.sealAll(100)
	require.Equal(t, Row{"is_intact": true, "sealed": copied["sealed_rows"].(int) + 1, "first_bad": nil},
		b.One("audit.verify_against", A{"p_sealed": copied["sealed_rows"], "p_head": copied["head"]}), "an older copy still holds")
	require.Equal(t, true, b.One("audit.verify_against", A{"p_sealed": 0, "p_head": noHead})["is_intact"])
	require.Equal(t, false, b.One("audit.verify_against", A{"p_sealed": 0, "p_head": copied["head"]})["is_intact"])
}
