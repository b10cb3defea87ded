package obs

import (
	"context"
	"log/slog"
)

// MoneyEvent is the name of something that happened to money. It is the message of its log line, so that a search for
// the name finds all of them; the books themselves are in the database.
type MoneyEvent string

// The money events.
const (
	BalanceIncreased  MoneyEvent = "BALANCE_INCREASED"
	BalanceDecreased  MoneyEvent = "BALANCE_DECREASED"
	PurchaseOpened    MoneyEvent = "PURCHASE_OPENED"
	PurchasePaid      MoneyEvent = "PURCHASE_PAID"
	PurchaseCancelled MoneyEvent = "PURCHASE_CANCELLED"
	PurchasesExpired  MoneyEvent = "PURCHASES_EXPIRED"
	InvoiceAttached   MoneyEvent = "INVOICE_ATTACHED"
	PaymentApplied    MoneyEvent = "PAYMENT_APPLIED"
	PaymentCredited   MoneyEvent = "PAYMENT_CREDITED"
	PaymentSuspended  MoneyEvent = "PAYMENT_SUSPENDED"
	PaymentReversed   MoneyEvent = "PAYMENT_REVERSED"
	PurchaseRefunded  MoneyEvent = "PURCHASE_REFUNDED"
	RefundBegun       MoneyEvent = "REFUND_BEGUN"

	SubscriptionsRenewed MoneyEvent = "SUBSCRIPTIONS_RENEWED"
	CashbackPaid         MoneyEvent = "CASHBACK_PAID"
	WithdrawalRequested  MoneyEvent = "WITHDRAWAL_REQUESTED"
	WithdrawalApproved   MoneyEvent = "WITHDRAWAL_APPROVED"
	WithdrawalRejected   MoneyEvent = "WITHDRAWAL_REJECTED"
	WithdrawalCancelled  MoneyEvent = "WITHDRAWAL_CANCELLED"
)

// Money logs a money event.
func Money(ctx context.Context, logger *slog.Logger, event MoneyEvent, attrs ...slog.Attr) {
	logger.LogAttrs(ctx, slog.LevelInfo, string(event), append(attrs, slog.Bool("money", true))...)
}
