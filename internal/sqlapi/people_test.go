package sqlapi_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/requisites"
	"atlas-secure/internal/sqlapi"
)

func TestCashbackAndTrial(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	stats, err := b.bot.Referral.Stats(ctx, stranger)
	require.NoError(t, err)
	_, err = b.bot.Account.Register(ctx, sqlapi.RegisterParams{TelegramID: 2000, StartPayload: "ref_" + stats.Code})
	require.NoError(t, err)
	trial, err := b.bot.Subscription.StartTrial(ctx, 2000, "t")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().AddDate(0, 0, 3), trial.ExpiresAt, time.Minute)
	_, err = b.bot.Subscription.StartTrial(ctx, 2000, "t2")
	require.ErrorIs(t, err, atlas.ErrTrialUsed)
	isOn, err := b.bot.Subscription.SetAutoRenew(ctx, 2000, true)
	require.NoError(t, err)
	require.True(t, isOn)
	reissue, err := b.bot.VPN.Reissue(ctx, 2000, 0, "r")
	require.NoError(t, err)
	require.NotEmpty(t, reissue.VPNUUID)
	_, err = b.bot.VPN.Reissue(ctx, user, 0, "r")
	require.ErrorIs(t, err, atlas.ErrNoSubscription)
	_, err = b.bot.Promo.Validate(ctx, 2000, "NONE")
	require.ErrorIs(t, err, atlas.ErrNoSuchPromo)

	_, err = b.bot.Wallet.Credit(ctx, sqlapi.AdjustParams{TelegramID: 2000, Amount: 14900, AdminID: admin, Note: "n", Key: "k"})
	require.NoError(t, err)
	opened, err := b.bot.Billing.OpenPurchase(ctx, sqlapi.OpenPurchaseParams{
		TelegramID: 2000, Plan: atlas.Plan{Tariff: atlas.Basic, Months: 1}, Key: "k",
	})
	require.NoError(t, err)
	_, err = b.bot.Billing.PayFromBalance(ctx, 2000, opened.PurchaseID)
	require.NoError(t, err)
	paid, err := b.worker.Referral.PayDue(ctx, nil, 10)
	require.NoError(t, err)
	require.Equal(t, 1, paid)
	stats, err = b.bot.Referral.Stats(ctx, stranger)
	require.NoError(t, err)
	require.Equal(t, sqlapi.ReferralStats{Code: stats.Code, Invited: 1, Paying: 1, Level: "silver", Percent: 10, Earned: 1490,
		NextLevel: "gold", NextFromPaying: 25, NextPercent: 25}, stats)
	renewal, err := b.bot.Subscription.Renewal(ctx, 2000)
	require.NoError(t, err)
	require.Equal(t, atlas.Kopecks(14900), renewal.Price)
	require.True(t, renewal.AutoRenew && renewal.IsSold)
	offer, err := b.bot.Subscription.TrialOffer(ctx, 2000)
	require.NoError(t, err)
	require.Equal(t, "SU002", offer.Refusal)
	states, err := b.bot.Ops.ServiceStatus(ctx)
	require.NoError(t, err)
	require.Equal(t, "service", states[0].Component)

	for name, due := range map[string]func() (int, error){
		"expire":  func() (int, error) { return b.worker.Subscription.ExpireDue(ctx, nil, 10) },
		"renew":   func() (int, error) { return b.worker.Subscription.RenewDue(ctx, nil, 10) },
		"enqueue": func() (int, error) { return b.worker.Notify.EnqueueDue(ctx, nil, 10) },
		"purge":   func() (int, error) { return b.worker.Withdrawal.PurgeDue(ctx, nil, 10) },
	} {
		items, err := due()
		require.NoError(t, err, name)
		require.Zero(t, items, name)
	}
	var seal sqlapi.Seal
	require.Eventually(t, func() bool { // not before transactions end that are older, in other tests' databases too
		seal, err = b.worker.Audit.Seal(ctx, 1000)
		return err != nil || seal.Sealed > 0
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, int64(seal.Sealed), seal.SealedRows)
	require.Len(t, seal.Head, 64)
}

func TestWithdrawals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.fund(t, 200000)
	sealer, err := requisites.NewSealer(config.NewSecret("Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E="))
	require.NoError(t, err)
	plain, err := requisites.New("card 4111 1111 1111 1111")
	require.NoError(t, err)
	sealed, err := sealer.Seal(plain)
	require.NoError(t, err)
	params := sqlapi.WithdrawalParams{TelegramID: user, Amount: 60000, Requisites: sealed, Key: "one"}
	options, err := b.bot.Withdrawal.Options(ctx)
	require.NoError(t, err)
	require.Equal(t, sqlapi.WithdrawalOptions{Minimum: 50000, PerDay: 3, FourEyes: 5000000}, options)

	requested, err := b.bot.Withdrawal.Request(ctx, params)
	require.NoError(t, err)
	require.Equal(t, []any{"pending", atlas.Kopecks(140000), atlas.Kopecks(60000)},
		[]any{requested.Status, requested.Available, requested.Held})
	waiting, err := b.bot.Withdrawal.ListPending(ctx, admin, 10)
	require.NoError(t, err)
	require.Len(t, waiting, 1)
	opened, err := sealer.Open(waiting[0].Requisites)
	require.NoError(t, err)
	require.Equal(t, "card 4111 1111 1111 1111", opened.Reveal())
	_, err = b.bot.Withdrawal.Approve(ctx, stranger, requested.WithdrawalID)
	require.ErrorIs(t, err, atlas.ErrNotAnAdmin)
	approved, err := b.bot.Withdrawal.Approve(ctx, admin, requested.WithdrawalID)
	require.NoError(t, err)
	require.Equal(t, sqlapi.ApprovedWithdrawal{WithdrawalID: requested.WithdrawalID, Status: "approved", Approvals: 1}, approved)
	_, err = b.bot.Withdrawal.Reject(ctx, admin, requested.WithdrawalID, "late")
	require.ErrorIs(t, err, atlas.ErrWithdrawalNotPending)

	params.Key = "two"
	draft, err := b.bot.Withdrawal.Draft(ctx, params)
	require.NoError(t, err)
	possible, err := b.bot.Withdrawal.Validate(ctx, user, 60000)
	require.NoError(t, err)
	require.Equal(t, sqlapi.PossibleWithdrawal{Amount: 60000, Left: 80000}, possible)
	shown, err := b.bot.Withdrawal.ShowDraft(ctx, user, draft.DraftID)
	require.NoError(t, err)
	require.Equal(t, sqlapi.ShownDraft{DraftID: draft.DraftID, Status: atlas.DraftOpen, Amount: 60000, Requisites: sealed,
		ExpiresAt: draft.ExpiresAt}, shown)
	_, err = b.bot.Withdrawal.ShowDraft(ctx, stranger, draft.DraftID)
	require.ErrorIs(t, err, atlas.ErrNoSuchWithdrawal)
	_, err = b.bot.Withdrawal.Submit(ctx, stranger, draft.DraftID)
	require.ErrorIs(t, err, atlas.ErrNoSuchWithdrawal)
	submitted, err := b.bot.Withdrawal.Submit(ctx, user, draft.DraftID)
	require.NoError(t, err)
	_, err = b.bot.Withdrawal.Request(ctx, sqlapi.WithdrawalParams{TelegramID: user, Amount: 60000, Requisites: sealed, Key: "three"})
	require.ErrorIs(t, err, atlas.ErrTooManyWithdrawals)
	_, err = b.bot.Withdrawal.Reject(ctx, admin, submitted.WithdrawalID, "no such card")
	require.NoError(t, err)
	params.Key = "four"
	last, err := b.bot.Withdrawal.Request(ctx, params)
	require.NoError(t, err)
	cancelled, err := b.bot.Withdrawal.Cancel(ctx, user, last.WithdrawalID)
	require.NoError(t, err)
	require.Equal(t, "cancelled", cancelled.Status)
	latest, err := b.bot.Withdrawal.Latest(ctx, user, 10)
	require.NoError(t, err)
	require.Len(t, latest, 3)
	require.Equal(t, "no such card", latest[1].Reason)

	require.Equal(t, "refused.withdrawal.approve refused.withdrawal.show_draft refused.withdrawal.submit", b.text(t,
		"select string_agg(action, ' ' order by occurred_at) from audit.event where action like 'refused.%'"))
}
