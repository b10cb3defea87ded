package sqlapi_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/obs"
	"atlas-secure/internal/sqlapi"
)

func TestPurchaseFromBalance(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := obs.WithCorrelationID(t.Context(), "u5")
	b.fund(t, 50000)

	prices, err := b.bot.Billing.ListPrices(ctx)
	require.NoError(t, err)
	require.Len(t, prices, 8)
	quote, err := b.bot.Billing.Quote(ctx, user, atlas.Plan{Tariff: atlas.Basic, Months: 1}, "")
	require.NoError(t, err)
	require.Equal(t, atlas.Kopecks(14900), quote.Price)
	require.Equal(t, atlas.NoDiscount, quote.DiscountKind)

	params := sqlapi.OpenPurchaseParams{TelegramID: user, Plan: atlas.Plan{Tariff: atlas.Basic, Months: 1}, Key: "u5:open"}
	opened, err := b.bot.Billing.OpenPurchase(ctx, params)
	require.NoError(t, err)
	again, err := b.bot.Billing.OpenPurchase(ctx, params)
	require.NoError(t, err)
	require.True(t, again.IsReplay)
	require.Equal(t, opened.PurchaseID, again.PurchaseID)
	require.Equal(t, time.UTC, opened.ExpiresAt.Location())

	shown, err := b.bot.Billing.ShowPurchase(ctx, user, opened.PurchaseID)
	require.NoError(t, err)
	require.Equal(t, atlas.PurchaseOpen, shown.Status)
	require.Equal(t, atlas.SubscriptionPurchase, shown.Kind)
	require.Empty(t, shown.InvoiceID)

	paid, err := b.bot.Billing.PayFromBalance(ctx, user, opened.PurchaseID)
	require.NoError(t, err)
	require.Equal(t, atlas.PurchasePaid, paid.Status)
	require.Equal(t, atlas.Kopecks(35100), paid.Available)
	require.WithinDuration(t, time.Now().AddDate(0, 1, 0), *paid.SubscriptionExpiresAt, 4*24*time.Hour)
	paid, err = b.bot.Billing.PayFromBalance(ctx, user, opened.PurchaseID)
	require.NoError(t, err)
	require.True(t, paid.IsReplay)

	current, err := b.bot.Subscription.Current(ctx, user)
	require.NoError(t, err)
	require.Equal(t, atlas.ActiveSubscription, current.Status)
	require.Equal(t, atlas.ActivationPending, current.Activation)
	require.Empty(t, current.KeyURI)

	jobs, err := b.worker.VPN.ClaimJobs(ctx, "w1", 10, time.Minute)
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.Equal(t, "u5", jobs[0].CorrelationID, "from the update to the worker")
	require.Equal(t, atlas.VPNAdd, jobs[0].Action)
	require.Equal(t, 3, jobs[0].DeviceLimit)
	wanted, err := b.worker.VPN.WantedUsers(ctx)
	require.NoError(t, err)
	require.Len(t, wanted, 1)
	require.Equal(t, atlas.VPNUser{UUID: jobs[0].VPNUUID, DeviceLimit: 3, TelegramID: user, ExpiresAt: *jobs[0].ExpiresAt},
		wanted[0].VPNUser())
	require.True(t, wanted[0].IsPending)
	require.Empty(t, jobs[0].Node)
	require.NoError(t, b.worker.VPN.ReleaseJob(ctx, jobs[0], "node is down"))
	released := jobs[0]
	_, err = b.owner.Exec(ctx, "update outbox.task set due_at = now()")
	require.NoError(t, err)
	jobs, err = b.worker.VPN.ClaimJobs(ctx, "w1", 10, time.Minute)
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	_, err = b.worker.VPN.CompleteJob(ctx, released, "vless://x", "fi-1")
	require.ErrorIs(t, err, atlas.ErrLeaseLost)
	_, err = b.worker.VPN.CompleteJob(ctx, jobs[0], "vless://x", "fi-1")
	require.NoError(t, err)

	current, err = b.bot.Subscription.Current(ctx, user)
	require.NoError(t, err)
	require.Equal(t, atlas.ActivationDone, current.Activation)
	require.Equal(t, "vless://x", current.KeyURI.Reveal())
	wanted, err = b.worker.VPN.WantedUsers(ctx)
	require.NoError(t, err)
	require.Equal(t, "fi-1", wanted[0].Node)
	require.False(t, wanted[0].IsPending)
	users := 1
	require.NoError(t, b.worker.VPN.ReportNode(ctx, sqlapi.NodeReport{Name: "fi-1", IsUp: true, Users: &users}))
	draining, err := b.worker.VPN.DrainingNodes(ctx)
	require.NoError(t, err)
	require.Empty(t, draining)
	_, err = b.owner.Exec(ctx, "update vpn.node set is_draining = true")
	require.NoError(t, err)
	draining, err = b.worker.VPN.DrainingNodes(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"fi-1"}, draining)

	templates := map[string]sqlapi.Message{}
	for {
		messages, err := b.worker.Notify.Claim(ctx, "w1", 10, time.Minute)
		require.NoError(t, err)
		if len(messages) == 0 {
			break
		}
		for _, message := range messages {
			require.Equal(t, atlas.English, message.Language)
			templates[message.Template] = message
			isRecorded, err := b.worker.Notify.Sent(ctx, message)
			require.NoError(t, err)
			require.True(t, isRecorded)
		}
	}
	require.Contains(t, templates, "key_ready")
	var arguments struct {
		KeyURI string `json:"key_uri"`
	}
	require.NoError(t, json.Unmarshal(templates["key_ready"].Arguments, &arguments))
	require.Equal(t, "vless://x", arguments.KeyURI)

	statement, err := b.bot.Wallet.Statement(ctx, user, 10, 0)
	require.NoError(t, err)
	require.Len(t, statement, 2)
	require.Equal(t, atlas.Kopecks(-14900), statement[0].Amount)
	balance, err := b.bot.Wallet.Balance(ctx, user)
	require.NoError(t, err)
	require.Equal(t, sqlapi.Balance{Available: 35100, Version: 2}, balance)
}

func TestTopupThroughAProvider(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()

	options, err := b.bot.Billing.TopupOptions(ctx)
	require.NoError(t, err)
	require.Equal(t, []atlas.Kopecks{25000, 75000, 99900}, options.Presets)
	_, err = b.bot.Billing.OpenTopup(ctx, user, options.Minimum-1, "low")
	require.ErrorIs(t, err, atlas.ErrTopupOutOfRange)
	opened, err := b.bot.Billing.OpenTopup(ctx, user, 50000, "topup")
	require.NoError(t, err)
	_, err = b.owner.Exec(ctx, "update billing.provider set is_offered = true")
	require.NoError(t, err)

	ways, err := b.bot.Billing.WaysToPay(ctx, user, opened.PurchaseID)
	require.NoError(t, err)
	amounts := map[string]int64{}
	for _, way := range ways {
		require.True(t, way.IsOffered, "%+v", way)
		amounts[way.Provider] = way.AmountMinor
	}
	require.Equal(t, map[string]int64{"cryptobot": 50000, "telegram": 50000, "stars": 295}, amounts)

	precheck, err := b.bot.Billing.Precheck(ctx, user, opened.PurchaseID, 50000, atlas.RUB)
	require.NoError(t, err)
	require.False(t, precheck.IsPayable && precheck.Refusal != "")

	_, err = b.bot.Billing.AttachInvoice(ctx, sqlapi.AttachInvoiceParams{
		PurchaseID: opened.PurchaseID, Provider: atlas.CryptoBot, InvoiceID: "555", AmountMinor: 50000, Currency: atlas.RUB,
	})
	require.NoError(t, err)
	pending, err := b.worker.Billing.PendingInvoices(ctx, atlas.CryptoBot, nil, 10)
	require.NoError(t, err)
	require.Len(t, pending, 1)
	require.Equal(t, "555", pending[0].InvoiceID)

	pay := sqlapi.SettlePaymentParams{
		Provider: atlas.CryptoBot, ChargeID: "555", PurchaseID: opened.PurchaseID, AmountMinor: 50000, Currency: atlas.RUB,
		Raw: json.RawMessage(`{"invoice_id":555}`),
	}
	settled, err := b.worker.Billing.SettlePayment(ctx, pay)
	require.NoError(t, err)
	require.Equal(t, atlas.Applied, settled.Outcome)
	require.Equal(t, user, settled.TelegramID)
	require.Nil(t, settled.SubscriptionExpiresAt)
	settled, err = b.bot.Billing.SettlePayment(ctx, pay)
	require.NoError(t, err)
	require.True(t, settled.IsReplay)

	pay.ChargeID, pay.PurchaseID = "556", ""
	settled, err = b.worker.Billing.SettlePayment(ctx, pay)
	require.NoError(t, err)
	require.Equal(t, atlas.Suspense, settled.Outcome)
	require.Zero(t, settled.TelegramID)

	pending, err = b.worker.Billing.PendingInvoices(ctx, atlas.CryptoBot, nil, 10)
	require.NoError(t, err)
	require.Empty(t, pending)
	problems, err := b.dba.Ops.Reconcile(ctx)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestMoneyGoesBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()

	lost, err := b.worker.Billing.SettlePayment(ctx, sqlapi.SettlePaymentParams{
		Provider: atlas.CryptoBot, ChargeID: "lost", AmountMinor: 50000, Currency: atlas.RUB,
	})
	require.NoError(t, err)
	assign := sqlapi.ResolveSuspenseParams{AdminID: admin, PaymentID: lost.PaymentID, TelegramID: user, Note: "hers"}
	resolved, err := b.bot.Billing.ResolveSuspense(ctx, assign)
	require.NoError(t, err)
	require.Equal(t, sqlapi.Resolution{PaymentID: lost.PaymentID, Outcome: atlas.Credited}, resolved)
	assign.Amount = 49999
	_, err = b.bot.Billing.ResolveSuspense(ctx, assign)
	require.ErrorIs(t, err, atlas.ErrNotInSuspense)

	opened := b.buy(t, "open")
	settled, err := b.bot.Billing.ApproveManual(ctx, sqlapi.ApproveManualParams{
		AdminID: admin, PurchaseID: opened.PurchaseID, Amount: opened.Price, Note: "cash",
	})
	require.NoError(t, err)
	require.Equal(t, atlas.Applied, settled.Outcome)
	refunded, err := b.bot.Billing.RefundPurchase(ctx, admin, opened.PurchaseID, "by mistake")
	require.NoError(t, err)
	require.Equal(t, sqlapi.Refund{PurchaseID: opened.PurchaseID, Refunded: opened.Price}, refunded)
	_, err = b.bot.Billing.RefundPurchase(ctx, admin, b.buy(t, "other").PurchaseID, "not paid")
	require.ErrorIs(t, err, atlas.ErrPurchaseNotOpen)

	_, err = b.bot.Wallet.Debit(ctx, sqlapi.AdjustParams{TelegramID: user, Amount: 60000, AdminID: admin, Note: "out", Key: "out"})
	require.NoError(t, err)
	charge := sqlapi.ReversePaymentParams{Provider: atlas.CryptoBot, ChargeID: "lost", AmountMinor: 50000, Currency: atlas.RUB}
	reversed, err := b.worker.Billing.ReversePayment(ctx, charge)
	require.NoError(t, err)
	require.Equal(t, sqlapi.Reversal{PaymentID: lost.PaymentID, Outcome: atlas.Reversed, Debt: 45100}, reversed)
	reversed, err = b.bot.Billing.ReversePayment(ctx, charge)
	require.NoError(t, err)
	require.True(t, reversed.IsReplay)
}

func TestInbox(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	updates := []sqlapi.ReceivedUpdate{
		{UpdateID: 1, ChatID: 10, Payload: json.RawMessage(`{"update_id":1}`)},
		{UpdateID: 2, ChatID: 10, Payload: json.RawMessage(`{"update_id":2}`)},
		{UpdateID: 3, ChatID: 11, Payload: json.RawMessage(`{"update_id":3}`)},
	}
	for _, want := range []int{3, 0} {
		received, err := b.bot.Inbox.Receive(ctx, updates)
		require.NoError(t, err)
		require.Equal(t, want, received)
	}
	exchange := func(done []sqlapi.ClaimedUpdate, limit int) []sqlapi.ClaimedUpdate {
		claimed, err := b.bot.Inbox.Exchange(ctx, "h", done, limit, time.Minute)
		require.NoError(t, err)
		return claimed
	}
	claimed := exchange(nil, 10)
	require.Len(t, claimed, 2, "one per chat")
	require.JSONEq(t, `{"update_id":1}`, claimed[0].Payload)
	require.Equal(t, "u1", claimed[0].CorrelationID())
	require.Empty(t, claimed[0].Language, "nobody who is registered")
	failed, err := b.bot.Inbox.Failed(ctx, claimed[1], "no")
	require.NoError(t, err)
	require.True(t, failed.WillRetry)
	claimed = exchange(claimed[:1], 10)
	require.Len(t, claimed, 1, "the chat's next one")
	require.EqualValues(t, 2, claimed[0].UpdateID)
	givenBack, err := b.bot.Inbox.GiveBack(ctx, "h")
	require.NoError(t, err)
	require.Equal(t, 1, givenBack)
	require.Empty(t, exchange(claimed, 0))
	require.Equal(t, "1", b.text(t, "select count(*)::text from inbox.update where update_id = 2 and finished_at is null"),
		"who lost the lease ends nothing")

	_, err = b.bot.Inbox.Receive(ctx, []sqlapi.ReceivedUpdate{{UpdateID: 4, ChatID: int64(user), Payload: json.RawMessage(`{}`)}})
	require.NoError(t, err)
	claimed = exchange(nil, 10)
	require.EqualValues(t, "en", claimed[len(claimed)-1].Language)
	require.True(t, claimed[len(claimed)-1].IsReachable)
}

func TestJobsAndLeases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()

	jobs, err := b.worker.Ops.Jobs(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, jobs)
	run, err := b.worker.Ops.ClaimRun(ctx, "billing.expire_due", "w1")
	require.NoError(t, err)
	require.True(t, run.IsClaimed)
	other, err := b.worker.Ops.ClaimRun(ctx, "billing.expire_due", "w2")
	require.NoError(t, err)
	require.False(t, other.IsClaimed)

	expired, err := b.worker.Billing.ExpireDue(ctx, run.Epoch, run.BatchSize)
	require.NoError(t, err)
	require.Zero(t, expired)
	stale := *run.Epoch - 1
	_, err = b.worker.Billing.ExpireDue(ctx, &stale, 1)
	require.ErrorIs(t, err, atlas.ErrStaleEpoch)
	_, err = b.worker.Ops.PurgeDue(ctx, nil, 10)
	require.NoError(t, err)

	next := time.Now().Add(time.Hour)
	isRecorded, err := b.worker.Ops.FinishRun(ctx, sqlapi.FinishedRun{
		Job: "billing.expire_due", Holder: "w1", Epoch: run.Epoch, StartedAt: time.Now(), Error: "bad", NextRunAt: &next,
	})
	require.NoError(t, err)
	require.True(t, isRecorded)
	isReleased, err := b.worker.Ops.ReleaseLease(ctx, "billing.expire_due", "w1")
	require.NoError(t, err)
	require.True(t, isReleased)
	epoch, err := b.worker.Ops.AcquireLease(ctx, "billing.expire_due", "w2", time.Minute)
	require.NoError(t, err)
	require.Greater(t, *epoch, *run.Epoch)
	epoch, err = b.worker.Ops.AcquireLease(ctx, "billing.expire_due", "w1", time.Minute)
	require.NoError(t, err)
	require.Nil(t, epoch)

	require.NoError(t, b.bot.Ops.SetFeature(ctx, admin, "payments", false))
	_, err = b.bot.Billing.OpenTopup(ctx, user, 50000, "off")
	require.ErrorIs(t, err, atlas.ErrSwitchedOff)
	require.ErrorIs(t, b.bot.Ops.SetFeature(ctx, user, "payments", true), atlas.ErrNotAnAdmin)
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()

	profile, err := b.bot.Account.Profile(ctx, user)
	require.NoError(t, err)
	require.Equal(t, atlas.English, profile.Language)
	require.NotEmpty(t, profile.ReferralCode)
	registration, err := b.bot.Account.Register(ctx, sqlapi.RegisterParams{
		TelegramID: 2000, Username: "new", StartPayload: "ref_" + profile.ReferralCode,
	})
	require.NoError(t, err)
	require.True(t, registration.IsNew)
	require.Equal(t, user, registration.ReferrerID)
	require.False(t, registration.IsLanguageChosen)
	require.NoError(t, b.bot.Account.SetLanguage(ctx, 2000, atlas.Russian))
	require.NoError(t, b.bot.Account.SetReachable(ctx, 2000, false))
	profile, err = b.bot.Account.Profile(ctx, 2000)
	require.NoError(t, err)
	require.Equal(t, atlas.Russian, profile.Language)
	require.True(t, profile.IsLanguageChosen)
	require.False(t, profile.IsReachable)
	_, err = b.bot.Account.Profile(ctx, 9999)
	require.ErrorIs(t, err, atlas.ErrNoSuchUser)

	state, err := b.dba.Account.RevokeAdmin(ctx, admin, "bye")
	require.NoError(t, err)
	require.False(t, state.IsAdmin)
	_, err = b.bot.Account.GrantAdmin(ctx, user, "me")
	require.Error(t, err, "not for the bot's role")
	require.NotErrorIs(t, err, atlas.ErrUnavailable)
}
