package notice_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/bot/notice"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/limit"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/internal/telegram"
	"atlas-secure/internal/worker"
	atlassql "atlas-secure/sql"
)

var (
	_ worker.Messenger = (*notice.Messenger)(nil)
	_ worker.Courier   = (*notice.Messenger)(nil)
)

// setup makes a messenger whose Telegram gives one answer, and a function that tells what was sent.
func setup(t *testing.T, status int, answer string) (*notice.Messenger, func() string) {
	t.Helper()
	var sent strings.Builder
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent.WriteString(r.URL.Path + "\n" + string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	client, err := telegram.NewClient("1:"+strings.Repeat("a", 35), server.URL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdle)
	texts, err := i18n.Load(func(err error) { t.Error(err) })
	require.NoError(t, err)
	return notice.New(telegram.NewSender(client, limit.New(nil, ""), obs.Discard()), texts), sent.String
}

const ok = `{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"}}}`

// arguments are what SQL writes for every template.
var arguments = map[string]string{
	"key_ready":           `{"key_uri":"vless://secret","tariff":"basic","expires_at":"2026-12-31T10:00:00.123+00:00","available_kopecks":0}`,
	"key_failed":          `{}`,
	"payment_applied":     `{"purchase_id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","price_kopecks":14900,"tariff":"basic","months":1,"expires_at":"2026-12-31T10:00:00+00:00"}`,
	"payment_credited":    `{"amount_kopecks":50000,"available_kopecks":50000,"reason":"topup"}`,
	"referral_joined":     `{}`,
	"admin_alarm":         `{"alarm":"payment_in_suspense","subject":"payment:1","detail":"<x>"}`,
	"component_down":      `{"component":"redis","since":"2026-12-31T10:00:00+00:00","detail":"dial tcp <refused>"}`,
	"component_up":        `{"component":"vpn","since":"2026-12-31T10:00:00+00:00"}`,
	"activation_failed":   `{"telegram_id":5,"error":"<node> said no"}`,
	"corporate_requested": `{"request_id":17,"telegram_id":1001,"company":"<card>","contact":"&","username":"bert","registered_at":"2026-12-31T10:00:00+00:00"}`,
	"broadcast_done":      `{"title":"<News>","sent":90000,"unreachable":10000,"failed":0,"unknown":2}`,

	"trial_6h":             period,
	"trial_48h":            period,
	"trial_ending":         period,
	"trial_ended":          period,
	"subscription_expired": period,
	"reminder_3d":          period,
	"reminder_24h":         period,
	"reminder_6h":          period,
	"reminder_3h":          period,
	"renewal_done":         `{"purchase_id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","amount_kopecks":14900,"months":1,"expires_at":"2026-12-31T10:00:00+00:00"}`,
	"renewal_declined":     `{"amount_kopecks":14900,"tariff":"basic","months":1,"expires_at":"2026-12-31T10:00:00+00:00"}`,
	"time_granted":         period,
	"subscription_revoked": `{"reason":"<spam>"}`,
	"refunded":             `{"amount_kopecks":14900,"available_kopecks":20000,"tariff":"plus","months":1}`,
	"payment_reversed":     `{"amount_kopecks":14900,"debt_kopecks":500}`,
	"promo_used_up":        `{"amount_kopecks":14900,"available_kopecks":20000,"reason":"promo_used_up"}`,
	"referral_trial":       `{}`,
	"cashback":             `{"amount_kopecks":1490,"available_kopecks":20000}`,
	"cashback_clawed_back": `{"amount_kopecks":1490,"available_kopecks":20000}`,
	"withdrawal_requested": `{"amount_kopecks":60000,"withdrawal_id":17,"telegram_id":1001}`,
	"withdrawal_approved":  `{"amount_kopecks":60000}`,
	"withdrawal_rejected":  `{"amount_kopecks":60000,"reason":"no such <card>"}`,
}

const period = `{"tariff":"basic","expires_at":"2026-12-31T10:00:00+00:00","available_kopecks":0}`

func message(template string) sqlapi.Message {
	return sqlapi.Message{MessageID: 9, TelegramID: 5, Template: template, Arguments: json.RawMessage(arguments[template]), Language: "ru"}
}

func TestEveryTemplate(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"key_ready": "31 декабря 2026, 13:00 (МСК)", "key_failed": "Пока не получилось", "payment_applied": "149 ₽", "payment_credited": "500 ₽",
		"referral_joined": "По вашей ссылке", "admin_alarm": "payment:1", "activation_failed": `said no`,
		"component_down": `(диалоги и лимиты)`, "component_up": "31 декабря 2026, 13:00",
		"trial_6h": "инструкцию", "trial_48h": "31 декабря 2026, 13:00", "trial_ending": "31 декабря 2026, 13:00",
		"trial_ended": "Купить VPN", "subscription_expired": "Купить VPN", "reminder_3d": "«Базовый»: 31 декабря 2026",
		"reminder_24h": "Через сутки", "reminder_6h": "Через шесть часов", "reminder_3h": "Через три часа",
		"renewal_done": "149 ₽", "renewal_declined": "меньше 149 ₽", "time_granted": "Базовый, до 31 декабря 2026, 13:00",
		"subscription_revoked": `\u0026lt;spam\u0026gt;`, "refunded": "Плюс, 1 месяц", "payment_reversed": "Задолженность: ",
		"promo_used_up": "промокод", "referral_trial": "пробный период", "cashback": "14,90 ₽", "cashback_clawed_back": "14,90 ₽",
		"withdrawal_requested": "№ 17", "corporate_requested": "@bert", "withdrawal_approved": "600 ₽", "withdrawal_rejected": "600 ₽",
	} {
		m, sent := setup(t, 200, ok)
		require.NoError(t, m.Deliver(t.Context(), message(template)), template)
		require.Contains(t, sent(), want, template)
		require.NotContains(t, sent(), "<node>")
		require.NotContains(t, sent(), "<card>")
		require.Equal(t, template == "key_ready", strings.Contains(sent(), "sendPhoto"))
	}
}

// TestWhatIsBackHasNoConsequences: what waits is said while something is away, and not when it is back.
func TestWhatIsBackHasNoConsequences(t *testing.T) {
	t.Parallel()
	for component, consequence := range map[string]string{
		"vpn": "новые ключи подождут", "telegram": "сообщения подождут", "cryptopay": "платежи подождут", "redis": "диалоги и лимиты", "other": "",
	} {
		for _, template := range []string{"component_down", "component_up"} {
			m, sent := setup(t, 200, ok)
			told := message(template)
			told.Arguments = json.RawMessage(`{"component":"` + component + `","since":"2026-12-31T10:00:00+00:00"}`)
			require.NoError(t, m.Deliver(t.Context(), told))
			require.Contains(t, sent(), map[string]string{"component_down": "Нет ответа: ", "component_up": "Снова отвечает: "}[template])
			if consequence != "" {
				require.Equal(t, template == "component_down", strings.Contains(sent(), consequence), "%s %s", template, component)
			}
		}
	}
}

func TestHowADeliveryEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status                     int
		answer                     string
		isCertain, wantUnreachable bool
	}{
		"blocked": {403, `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`, true, true},
		"refused": {400, `{"ok":false,"error_code":400,"description":"Bad Request: can't parse entities"}`, true, false},
		"broken":  {502, `bad gateway`, false, false},
	} {
		m, _ := setup(t, c.status, c.answer)
		err := m.Deliver(t.Context(), message("key_failed"))
		require.Error(t, err, name)
		var certain worker.Undelivered
		require.Equal(t, c.isCertain, errors.As(err, &certain), name)
		if c.isCertain {
			require.Equal(t, c.wantUnreachable, certain.IsUnreachable(), name)
		}
	}
}

func TestWhatCannotBeDrawnIsNotSent(t *testing.T) {
	t.Parallel()
	for template, text := range map[string]string{"from_the_future": `{}`, "payment_applied": `{"price_kopecks":"vless://secret"}`, "key_ready": `{"tariff":"basic"}`} {
		m, sent := setup(t, 200, ok)
		err := m.Deliver(t.Context(), sqlapi.Message{Template: template, Arguments: json.RawMessage(text)})
		var certain worker.Undelivered
		require.ErrorAs(t, err, &certain)
		require.NotContains(t, err.Error(), "secret")
		require.Empty(t, sent())
	}
}

// written finds the names of messages in functions, and in the table of reminders: beside the kind, and in expressions that
// choose one.
var written = regexp.MustCompile(
	`'message',\s+'(\w+[^_'])'|'(trial_(?:6h|48h|ending|ended)|reminder_\d+[dh]|subscription_expired|promo_used_up|payment_credited)'`)

func TestEveryMessageOfTheDatabaseHasAText(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(atlassql.Files, "functions/*/*.sql")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, file := range append(files, "migrations/00001_foundation.sql") {
		text, err := fs.ReadFile(atlassql.Files, file)
		require.NoError(t, err)
		for _, match := range written.FindAllStringSubmatch(string(text), -1) {
			found[match[1]+match[2]] = true
		}
	}
	require.Greater(t, len(found), 20, "the search finds them")
	for name := range found {
		require.Contains(t, arguments, name, "no text for this message")
	}
}
