package atlas

// Tariff names what a subscription gives. Prices and device limits are rows in the database, never constants here.
type Tariff string

// The tariffs on sale.
const (
	Basic Tariff = "basic"
	Plus  Tariff = "plus"
)

// Plan is what a person chooses: a tariff for a number of calendar months.
type Plan struct {
	Tariff Tariff
	Months int
}

// PurchaseKind tells a subscription from a top-up of the balance.
type PurchaseKind string

// The kinds of purchase.
const (
	SubscriptionPurchase PurchaseKind = "subscription"
	TopupPurchase        PurchaseKind = "topup"
)

// PurchaseStatus is where a purchase is: open -> paid -> (refunded), or open -> expired | cancelled.
type PurchaseStatus string

// The states of a purchase.
const (
	PurchaseOpen      PurchaseStatus = "open"
	PurchasePaid      PurchaseStatus = "paid"
	PurchaseExpired   PurchaseStatus = "expired"
	PurchaseCancelled PurchaseStatus = "cancelled"
	PurchaseRefunded  PurchaseStatus = "refunded"
)

// SwitchKind is what buying a plan would do to the subscription in force; empty where it goes on as it is, or there is none.
type SwitchKind string

// The kinds of switches.
const (
	SwitchUp        SwitchKind = "up"    // the remaining time converts
	SwitchDown      SwitchKind = "down"  // the remaining time stays as it is
	SwitchFromTrial SwitchKind = "trial" // the trial is replaced
)

// DiscountKind says which discount won; discounts never stack.
type DiscountKind string

// The kinds of discount.
const (
	NoDiscount       DiscountKind = "none"
	PromoDiscount    DiscountKind = "promo"
	VIPDiscount      DiscountKind = "vip"
	PersonalDiscount DiscountKind = "personal"
)

// Provider is where money comes from.
type Provider string

// The providers that the books know. Balance is not one: it moves no money from outside.
const (
	TelegramCard  Provider = "telegram"
	TelegramStars Provider = "stars"
	CryptoBot     Provider = "cryptobot"
	Manual        Provider = "manual"
)

// Currency is an ISO code, or XTR for Telegram Stars. Amounts of it are in its smallest unit.
type Currency string

// The currencies that are taken.
const (
	RUB Currency = "RUB"
	XTR Currency = "XTR"
)
