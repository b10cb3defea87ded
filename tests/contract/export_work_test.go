package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/harness"
)

// exported reads an export page by page, as a worker does, and gives its cells.
func (b *bundle) exported(export Row, limit int) [][]any {
	b.Helper()
	rows := [][]any{}
	id, version := export["reached_id"], export["reached_version"]
	for {
		found := b.All("ops.export_page", page(export, id, version, limit))
		for _, row := range found {
			id, version = row["reached_id"], row["reached_version"]
			if row["cells"] != nil {
				rows = append(rows, row["cells"].([]any))
			}
		}
		if len(found) < limit {
			return rows
		}
	}
}

func (b *bundle) wants(kind string, batch any) Row {
	b.Helper()
	b.One("ops.request_export", wanted(kind, batch, "wants "+kind))
	export := b.claimExport()
	require.Equal(b, kind, export["kind"])
	return export
}

// TestExportOfUsers has everybody who was there when it was asked for, as they are when they are read.
func TestExportOfUsers(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	b.User(2000)
	b.owner.Query("update account.account set registered_at = '2027-01-02 03:04:05.678+03'")
	export := b.wants("users", nil)
	b.owner.At(at.Add(time.Second))
	b.User(1003) // too late
	b.Credit(bert, 500)
	b.One("account.block", A{"p_admin_id": boss, "p_telegram_id": bert, "p_reason": "=1+1\n\"x\""})
	b.Buy(anna, "basic", 1, "k")
	want := [][]any{
		{"1", "user_1", "ru", "2027-01-02T00:04:05Z", "true", "false", "", "", "false", "", "", "", "0", "0", "0", "", ""},
		{"1001", "user_1001", "ru", "2027-01-02T00:04:05Z", "true", "false", "", "", "false", "", "", "", "85100", "0", "0", "basic", "2027-04-05T10:00:01Z"},
		{"1002", "user_1002", "ru", "2027-01-02T00:04:05Z", "true", "true", "2027-03-05T10:00:01Z", "=1+1\n\"x\"", "false", "", "", "", "500", "0", "0", "", ""},
		{"2000", "user_2000", "ru", "2027-01-02T00:04:05Z", "true", "false", "", "", "false", "", "", "", "0", "0", "0", "", ""},
	}
	for _, limit := range []int{1, 2, 5, 5000} {
		require.Equal(t, want, b.exported(export, limit), limit)
	}
	require.Len(t, export["header"], len(want[0]))
}

func TestExportOfSubscriptions(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at.AddDate(0, 0, -40))
	b.Buy(anna, "basic", 1, "k")
	b.owner.At(at)
	b.Credit(bert, 100_000)
	b.Buy(bert, "plus", 3, "k")
	export := b.wants("subscriptions", nil)
	for _, limit := range []int{1, 2, 3} {
		require.Equal(t, [][]any{{"1002", "user_1002", "plus", "paid", "2027-03-05T10:00:00Z", "2027-06-05T10:00:00Z", "false", "pending"}},
			b.exported(export, limit), "who is in force")
	}
	require.Equal(t, []any{"telegram_id", "username", "tariff", "period", "started_at", "expires_at", "auto_renew", "activation"}, export["header"])
	require.NotContains(t, fmt.Sprint(b.exported(export, 9)), b.owner.Value("select vpn_uuid::text from subscription.subscription where telegram_id = 1002"))
}

// TestExportOfTheLedger is that of the moment at which it was asked for: neither what came later nor what a transaction that
// was under way wrote is in it, wherever the reader is.
func TestExportOfTheLedger(t *testing.T) {
	b := setup(t)
	purchase := b.Buy(anna, "basic", 1, "k")["purchase_id"]
	b.Credit(bert, 700)
	late := b.session(harness.DBA, "late")
	for _, sql := range []string{"begin", `select * from wallet.credit(p_telegram_id => 1002, p_amount_kopecks => 11, p_admin_id => 1, p_note => 'under way',
		p_idempotency_key => 'under way')`} {
		_, err := late.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	export := b.wants("ledger", nil)
	_, err := late.Exec(t.Context(), "commit")
	require.NoError(t, err)
	b.Credit(anna, 1)
	b.User(1003)
	b.Credit(1003, 1)
	var got [][]any
	for _, limit := range []int{1, 2, 3, 100} {
		got = b.exported(export, limit)
		require.Len(t, got, 3, limit)
	}
	want := [][]any{
		{"1001", "1", "admin_credit", "adjustment", "available", "100000", "100000", "0", "0", "", "", "", "1", "gift"},
		{"1001", "2", "purchase", "available", "revenue", "14900", "85100", "0", "0", purchase, "", "", "", ""},
		{"1002", "1", "admin_credit", "adjustment", "available", "700", "700", "0", "0", "", "", "", "1", "gift"},
	}
	for i, cells := range got {
		stored := b.owner.Query(`select transfer_id::text, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
			from ledger.transfer where telegram_id = $1 and version = $2`, cells[1], cells[2])[0]
		require.Equal(t, []any{stored["transfer_id"], stored["at"]}, []any{cells[0], cells[3]})
		require.Equal(t, want[i], append([]any{cells[1], cells[2]}, cells[4:]...))
	}
	require.Len(t, export["header"], len(got[0]))
}

func TestExportOfABatch(t *testing.T) {
	b := setup(t)
	codes := b.All("promo.issue_batch", batchOf(3, 25, "k"))
	b.All("promo.issue_batch", batchOf(3, 25, "another"))
	b.openWith(anna, codes[1]["code"], "k")
	b.One("promo.disable", A{"p_admin_id": boss, "p_code": codes[2]["code"]})
	export := b.wants("promo_batch", codes[0]["batch_id"])
	require.Equal(t, Row{"batch_id": codes[0]["batch_id"], "expected_rows": 3}, pick(export, "batch_id", "expected_rows"))
	for _, limit := range []int{1, 3, 4} {
		require.Equal(t, [][]any{{codes[0]["code"], "25", "1", "1", "", "true", "false"}, {codes[1]["code"], "25", "1", "1", "", "true", "true"},
			{codes[2]["code"], "25", "1", "1", "", "false", "false"}}, b.exported(export, limit))
	}
	require.Len(t, export["header"], 7)
}

// TestExportHasNoSecrets: no column of any export comes from where keys, identities and requisites are.
func TestExportHasNoSecrets(t *testing.T) {
	b := setup(t)
	for _, kind := range b.owner.Query("select unnest(enum_range(null::ops.export_kind))::text as name") {
		row := b.owner.Query("select header, numbers from ops._export_columns($1::text::ops.export_kind)", kind["name"])[0]
		require.NotEmpty(t, row["header"])
		require.NotRegexp(t, `key|uuid|requisit|token|\braw|payload`, row["header"], kind["name"])
		require.NotContains(t, row["numbers"], "note")
		require.NotContains(t, row["numbers"], "username")
		require.NotContains(t, row["numbers"], "code")
	}
}

// TestExportGoesOnAfterItsLastPart: whoever claims it next, and whatever became of the one before.
func TestExportGoesOnAfterItsLastPart(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	first := b.wants("users", nil)
	claim := A{"p_holder": "w", "p_lease": "30 seconds"}
	require.Empty(t, b.All("ops.claim_export", claim), "it is leased")
	require.Equal(t, Row{"goes_on": true, "outcome": nil, "kept_at": at},
		b.One("ops.keep_export", held(first).With("p_lease", "60 seconds").With("p_rows_read", 2)))
	require.Equal(t, Row{"rows_read": 2, "is_running": true}, pick(b.exports()[0], "rows_read", "is_running"))
	recorded := Row{"is_recorded": true, "outcome": nil}
	for range 2 {
		require.Equal(t, recorded, b.One("ops.record_part", part(first, 1, 2, anna, false)), "twice is once")
	}
	b.Refused("22023", "ops.record_part", part(first, 3, 2, bert, false))
	b.owner.At(at.Add(59 * time.Second))
	require.Empty(t, b.All("ops.claim_export", claim), "the lease was renewed")
	b.owner.At(at.Add(60 * time.Second))
	second := b.claimExport()
	require.Equal(t, Row{"export_id": first["export_id"], "reached_id": anna, "reached_version": 0, "parts": 1, "rows_sent": 2, "attempt": 2},
		pick(second, "export_id", "reached_id", "reached_version", "parts", "rows_sent", "attempt"))

	lost := Row{"is_recorded": false, "outcome": nil}
	require.Equal(t, lost, b.One("ops.record_part", part(first, 2, 1, bert, true)), "another has it")
	require.Equal(t, Row{"goes_on": false, "outcome": nil}, b.keeps(first))
	require.Empty(t, b.All("ops.export_page", page(first, 0, 0, 10)))
	for _, function := range []string{"ops.fail_export", "ops.release_export"} {
		args := held(first).With("p_error", "no")
		if function == "ops.fail_export" {
			args = args.With("p_is_unreachable", true)
		} else {
			args = args.With("p_wait", "1 hour")
		}
		require.Equal(t, Row{"is_recorded": false, "next_attempt_at": nil}, b.One(function, args))
	}
	require.Equal(t, true, b.keeps(second)["goes_on"])

	require.Equal(t, Row{"is_recorded": true, "outcome": "done"}, b.One("ops.record_part", part(second, 2, 1, bert, true)))
	require.Equal(t, Row{"is_recorded": true, "outcome": "done"}, b.One("ops.record_part", part(second, 2, 1, bert, true)))
	require.Equal(t, Row{"rows_read": 3, "rows_sent": 3, "parts": 2, "is_running": false, "outcome": "done"},
		pick(b.exports()[0], "rows_read", "rows_sent", "parts", "is_running", "outcome"))
	require.Equal(t, Row{"goes_on": false, "outcome": "done"}, b.keeps(second))
	require.Empty(t, b.All("ops.export_page", page(second, 0, 0, 10)), "nothing is read for what is over")
	require.Equal(t, []any{"done"}, b.endings())
	b.owner.At(at.Add(time.Hour))
	require.Empty(t, b.All("ops.claim_export", claim))
}

// TestExportIsGivenUp after five attempts in a row, and goes on from its last part when an admin has it tried again.
func TestExportIsGivenUp(t *testing.T) {
	b := setup(t)
	at := time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)
	b.owner.At(at)
	export := b.wants("users", nil)
	fail := func() any {
		return b.One("ops.fail_export", held(export).With("p_error", "no disk").With("p_is_unreachable", false))["next_attempt_at"]
	}
	require.Equal(t, at.Add(30*time.Second), fail())
	require.Equal(t, at.Add(30*time.Second), fail(), "twice is once")
	require.Equal(t, Row{"is_running": false, "last_error": "no disk"}, pick(b.exports()[0], "is_running", "last_error"))
	require.Equal(t, Row{"goes_on": false, "outcome": nil}, b.keeps(export), "it was given back")
	b.owner.At(at.Add(29 * time.Second))
	require.Empty(t, b.All("ops.claim_export", A{"p_holder": "w", "p_lease": "30 seconds"}))
	b.owner.At(at.Add(30 * time.Second))
	export = b.claimExport()
	b.One("ops.record_part", part(export, 1, 1, boss, false))
	require.Nil(t, b.exports()[0]["last_error"])
	for i := range 3 { // the attempts count anew
		require.NotNil(t, fail(), i)
		b.owner.At(at.Add(time.Duration(i+1) * time.Hour))
		export = b.claimExport()
	}
	release := held(export).With("p_error", "later").With("p_wait", "1 minute")
	for range 2 {
		require.Equal(t, Row{"is_recorded": true, "next_attempt_at": at.Add(3*time.Hour + time.Minute)}, b.One("ops.release_export", release))
	}
	b.owner.At(at.Add(4 * time.Hour))
	export = b.claimExport()
	require.Equal(t, 4, export["attempt"], "what was given back is not counted")
	require.NotNil(t, fail())
	b.owner.At(at.Add(5 * time.Hour))
	export = b.claimExport()
	require.Nil(t, fail())
	require.Nil(t, fail())
	require.Equal(t, Row{"outcome": "failed", "last_error": "no disk", "parts": 1}, pick(b.exports()[0], "outcome", "last_error", "parts"))
	letter := b.letters()[0]
	require.Equal(t, Row{"job_name": "ops.send_exports", "subject": fmt.Sprint("export:", export["export_id"]), "error": "no disk"},
		pick(letter, "job_name", "subject", "error"))
	require.Equal(t, []string{"dead_letter"}, b.alarms())
	require.Equal(t, boss, b.One("ops.show_dead_letter", A{"p_admin_id": boss, "p_dead_id": letter["dead_id"]})["telegram_id"])

	b.One("ops.request_export", wanted("users", nil, "another"))
	require.Equal(t, false, b.retried(letter["dead_id"]), "another of the kind is under way")
	b.One("ops.record_part", part(b.claimExport(), 1, 3, bert, true))
	require.Equal(t, true, b.retried(letter["dead_id"]))
	again := b.claimExport()
	require.Equal(t, Row{"export_id": export["export_id"], "reached_id": boss, "parts": 1, "attempt": 1},
		pick(again, "export_id", "reached_id", "parts", "attempt"))
	require.Equal(t, []any{"failed", "done"}, b.endings())
}

// TestExportThatKillsWorkersIsGivenUp: nobody says how its attempts end.
func TestExportThatKillsWorkersIsGivenUp(t *testing.T) {
	b := setup(t)
	b.wants("ledger", nil)
	for i := range 4 {
		b.owner.Later(fmt.Sprint((i+1)*40, " seconds"))
		require.Equal(t, i+2, b.claimExport()["attempt"])
	}
	b.owner.Later("1 hour")
	require.Empty(t, b.All("ops.claim_export", A{"p_holder": "w", "p_lease": "30 seconds"}))
	require.Equal(t, "failed", b.exports()[0]["outcome"])
	require.Equal(t, []string{"ops.send_exports"}, b.deadJobs())
}

// TestExportEndsForWhoIsNoAdmin, wherever it is.
func TestExportEndsForWhoIsNoAdmin(t *testing.T) {
	b := setup(t)
	b.admin(bert)
	b.One("ops.request_export", wanted("users", nil, "waits").With("p_admin_id", bert))
	b.One("ops.request_export", wanted("ledger", nil, "runs").With("p_admin_id", bert))
	running := b.claimExport()
	b.One("ops.record_part", part(running, 1, 1, boss, false))
	require.NotEmpty(t, b.All("ops.export_page", page(running, 0, 0, 10)))
	b.One("account.revoke_admin", A{"p_telegram_id": bert, "p_note": "n"})
	require.Empty(t, b.All("ops.export_page", page(running, 0, 0, 10)))
	require.Equal(t, Row{"goes_on": false, "outcome": "refused"}, b.keeps(running))
	require.Equal(t, Row{"goes_on": false, "outcome": "refused"}, b.keeps(running))
	require.Equal(t, Row{"is_recorded": true, "outcome": "refused"}, b.One("ops.record_part", part(running, 2, 1, anna, true)), "it was on its way")
	require.Empty(t, b.All("ops.claim_export", A{"p_holder": "w", "p_lease": "30 seconds"}))
	require.Equal(t, []any{"refused", "refused"}, b.endings())
	require.Equal(t, []Row{{"outcome": "refused", "parts": 0}, {"outcome": "refused", "parts": 2}},
		b.owner.Query("select outcome::text as outcome, parts from ops.export order by parts"))
	require.Equal(t, map[string]any{"outcome": "refused", "kind": "users", "parts": 1., "rows": 1., "admin_id": float64(bert)},
		b.Value("select details from audit.event where action = 'ops.export_ended' order by occurred_at limit 1"))
}

func TestExportToWhoHasBlockedTheBot(t *testing.T) {
	b := setup(t)
	export := b.wants("users", nil)
	for range 2 {
		require.Equal(t, Row{"is_recorded": true, "next_attempt_at": nil},
			b.One("ops.fail_export", held(export).With("p_error", "Forbidden").With("p_is_unreachable", true)))
	}
	require.Equal(t, Row{"outcome": "unreachable", "last_error": "Forbidden"}, pick(b.exports()[0], "outcome", "last_error"))
	require.Empty(t, b.letters(), "it is nobody's fault")
	require.Equal(t, []any{"unreachable"}, b.endings())
}

// TestExportIsCancelledWhileItIsSent: the worker hears of it, and what was on its way is counted.
func TestExportIsCancelledWhileItIsSent(t *testing.T) {
	b := setup(t)
	export := b.wants("users", nil)
	b.One("ops.cancel_export", A{"p_admin_id": boss, "p_export_id": export["export_id"]})
	require.Equal(t, Row{"goes_on": false, "outcome": "cancelled"}, b.keeps(export))
	require.Equal(t, Row{"is_recorded": true, "outcome": "cancelled"}, b.One("ops.record_part", part(export, 1, 3, bert, true)))
	require.Equal(t, Row{"outcome": "cancelled", "parts": 1, "rows_sent": 3}, pick(b.exports()[0], "outcome", "parts", "rows_sent"))
	require.Equal(t, []any{"cancelled"}, b.endings())
}
