package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/pay/cryptobot"
	"atlas-secure/internal/pay/reconcile"
	"atlas-secure/internal/pay/stars"
)

// What `payments` ends in beside the errors of those who are asked.
var (
	errDifferences = errors.New("the provider and the books differ: see the table")
	errNoList      = errors.New("telegram has no list of card payments: compare the card provider's own list with " +
		"`select * from billing.list_payments(…)`")
	errNoCryptoPay = errors.New("no Crypto Pay is configured: set the variable CRYPTOPAY_TOKEN")
)

func paymentCommands() *cobra.Command {
	payments := &cobra.Command{Use: "payments", Short: "Compare payments with their provider, and give Stars back"}
	payments.AddCommand(reconcileCommand(), refundStarsCommand())
	return payments
}

func reconcileCommand() *cobra.Command {
	var provider, from, to string
	var isApplied bool
	command := &cobra.Command{
		Use: "reconcile --provider cryptobot|stars", Args: cobra.NoArgs,
		Short: "Compare a provider's charges of a period with the books; exits with 1 if they differ",
		Long: "Compares the charges of a period, by their ids: prints what is missing in the books or at the provider, what\n" +
			"differs in its amount, what was given back on one side only, and what is in suspense. With --apply what is missing in\n" +
			"the books is booked, and what was given back is taken back; the rest is for a person to judge. Doing it again changes\n" +
			"nothing. It exits with 1 if differences are left.",
		RunE: withParts(func(ctx context.Context, p *parts, out io.Writer, _ []string) error {
			begin, end, err := period(from, to, time.Now())
			if err != nil {
				return err
			}
			asked, err := p.provider(atlas.Provider(provider))
			if err != nil {
				return err
			}
			return reconcilePayments(ctx, p, asked, begin, end, isApplied, out)
		}),
	}
	command.Flags().StringVar(&provider, "provider", "", "cryptobot or stars")
	command.Flags().StringVar(&from, "from", "", "beginning, as 2026-11-30 or 2026-11-30T10:00:00Z (default: three days before the end)")
	command.Flags().StringVar(&to, "to", "", "end, which is not in the period (default: now)")
	command.Flags().BoolVar(&isApplied, "apply", false, "bring what is missing into the books")
	_ = command.MarkFlagRequired("provider") // never fails: the flag is there
	return command
}

func reconcilePayments(
	ctx context.Context, p *parts, provider reconcile.Provider, from, to time.Time, isApplied bool, out io.Writer,
) error {
	findings, err := reconcile.Compare(ctx, p.db.Billing, provider, from, to)
	if err != nil {
		return err
	}
	mended, left, failures := map[string]bool{}, 0, []error(nil)
	for _, found := range findings {
		if !found.Kind.IsDifference() {
			continue
		}
		if isApplied {
			if mended[found.ID], err = reconcile.Apply(ctx, p.db.Billing, found); err != nil {
				failures = append(failures, err)
			}
		}
		if !mended[found.ID] {
			left++
		}
	}
	failures = append(failures, reconcile.Print(out, findings, mended))
	if left > 0 {
		failures = append(failures, errDifferences)
	}
	return errors.Join(failures...)
}

// provider is who can be asked for a list of charges.
func (p *parts) provider(name atlas.Provider) (reconcile.Provider, error) {
	switch name {
	case atlas.CryptoBot:
		if p.crypto == nil {
			return nil, errNoCryptoPay
		}
		return cryptobot.NewCharges(p.crypto, p.log), nil
	case atlas.TelegramStars:
		return stars.NewProvider(p.telegram), nil
	case atlas.TelegramCard:
		return nil, errNoList
	case atlas.Manual: // an admin's word, which nobody else has
	}
	return nil, fmt.Errorf("provider %q: must be cryptobot or stars", name)
}

// usualPeriod is how far back a comparison goes if nobody says.
const usualPeriod = 3 * 24 * time.Hour

func period(from, to string, now time.Time) (begin, end time.Time, err error) {
	end = now
	if to != "" {
		if end, err = timeOf(to); err != nil {
			return begin, end, fmt.Errorf("--to: %w", err)
		}
	}
	begin = end.Add(-usualPeriod)
	if from != "" {
		if begin, err = timeOf(from); err != nil {
			return begin, end, fmt.Errorf("--from: %w", err)
		}
	}
	if !begin.Before(end) {
		return begin, end, errors.New("--from must be before --to")
	}
	return begin, end, nil
}

// timeOf reads a day (its beginning in UTC) or a time with its zone.
func timeOf(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time: write 2026-11-30 or 2026-11-30T10:00:00Z", text)
	}
	return at, nil
}

func refundStarsCommand() *cobra.Command {
	var admin int64
	var charge, reason string
	command := &cobra.Command{
		Use: "refund-stars --admin ID --charge ID --reason TEXT", Args: cobra.NoArgs,
		Short: "Give a payment in Stars back to who has paid it, and take back what it gave",
		Long: "Telegram gives the Stars back, then the books take back what they bought. Wherever it is interrupted, run it again:\n" +
			"a charge is refunded once.",
		RunE: withParts(func(ctx context.Context, p *parts, out io.Writer, _ []string) error {
			reversed, err := stars.Refund(ctx, p.db.Billing, p.telegram, atlas.TelegramID(admin), charge, reason)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "payment %d: %s, debt %d kopecks, taken back before: %t\n",
				reversed.PaymentID, reversed.Outcome, reversed.Debt, reversed.IsReplay)
			return nil
		}),
	}
	command.Flags().Int64Var(&admin, "admin", 0, "Telegram id of the admin who wants it")
	command.Flags().StringVar(&charge, "charge", "", "charge id of the payment")
	command.Flags().StringVar(&reason, "reason", "", "why, for the audit")
	for _, name := range []string{"admin", "charge", "reason"} {
		_ = command.MarkFlagRequired(name) // never fails: the flag is there
	}
	return command
}
