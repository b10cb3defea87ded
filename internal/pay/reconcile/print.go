package reconcile

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Print writes the differences and what is in suspense, a line each, and how many there are of each kind. mended are the
// charges that were brought into the books meanwhile.
func Print(out io.Writer, findings []Finding, mended map[string]bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	count := map[Kind]int{}
	for _, found := range findings {
		count[found.Kind]++
	}
	if count[Agreed] < len(findings) {
		_, _ = fmt.Fprintln(table, "RESULT\tCHARGE\tAT\tPROVIDER\tBOOKS\tOUTCOME\tUSER\tNOTE")
	}
	for _, found := range findings {
		if found.Kind != Agreed {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", found.Kind, found.ID, found.at().UTC().Format(time.RFC3339),
				found.atProvider(), found.inBooks(mended[found.ID]))
		}
	}
	for _, kind := range Kinds() {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", kind, count[kind])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return nil
}

func (f Finding) atProvider() string {
	switch {
	case f.Charge == nil:
		return "-"
	case f.Charge.Reverse != nil:
		return money(f.Charge.Settle.AmountMinor, string(f.Charge.Settle.Currency)) + " given back"
	}
	return money(f.Charge.Settle.AmountMinor, string(f.Charge.Settle.Currency))
}

// inBooks is the last four columns.
func (f Finding) inBooks(isMended bool) string {
	note := "-"
	switch {
	case isMended:
		note = "brought into the books now"
	case f.Payment == nil:
	case f.Payment.SuspenseReason != "" && f.Kind == InSuspense:
		note = f.Payment.SuspenseReason
	case f.Payment.RefundBegunAt != nil:
		note = "refund begun at " + f.Payment.RefundBegunAt.UTC().Format(time.RFC3339)
	}
	if f.Payment == nil {
		return "-\t-\t-\t" + note
	}
	user := "-"
	if f.Payment.TelegramID != 0 {
		user = fmt.Sprint(f.Payment.TelegramID)
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s", money(f.Payment.AmountMinor, string(f.Payment.Currency)), f.Payment.Outcome, user, note)
}

// money shows an amount in the currency's smallest unit, as the books and the providers keep it.
func money(minor int64, currency string) string { return fmt.Sprintf("%d %s", minor, currency) }
