package atlas

import "errors"

// ErrUnavailable means that the database did not answer, or not in time. What was asked may or may not have happened:
// ask again with the same key.
var ErrUnavailable = errors.New("database is unavailable")

// Error is a refusal by the database. Message is constant for its Code; Detail carries values and Hint advice, both for
// logs and administrators, not for users.
type Error struct {
	Code    string
	Message string
	Detail  string
	Hint    string
}

// Error gives the code, the message and the values.
func (e *Error) Error() string {
	text := e.Code + ": " + e.Message
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// Is compares by code, so that errors.Is works with the sentinels below.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// The refusals, one per SQLSTATE of the contract.
var (
	ErrNoSuchUser    = &Error{Code: "US001", Message: "no such user"}
	ErrUserIsBlocked = &Error{Code: "US002", Message: "user is blocked"}
	ErrNotAnAdmin    = &Error{Code: "US003", Message: "not an admin"}
	ErrNoSuchDraft   = &Error{Code: "US004", Message: "no such draft"}

	ErrKeyReused     = &Error{Code: "ID001", Message: "key reused with other arguments"}
	ErrIsolation     = &Error{Code: "OP001", Message: "isolation level is not READ COMMITTED"}
	ErrStaleEpoch    = &Error{Code: "OP002", Message: "stale leader epoch"}
	ErrSwitchedOff   = &Error{Code: "OP003", Message: "feature is switched off"}
	ErrBadArgument   = &Error{Code: "22023", Message: "bad argument"}
	ErrSerialization = &Error{Code: "40001", Message: "could not serialize access"}
	ErrDeadlock      = &Error{Code: "40P01", Message: "deadlock detected"}
	ErrLockTimeout   = &Error{Code: "55P03", Message: "lock not available"}

	ErrInsufficientFunds = &Error{Code: "WA001", Message: "insufficient funds"}

	ErrNoSuchPromo    = &Error{Code: "PR001", Message: "no such promo code"}
	ErrPromoExpired   = &Error{Code: "PR002", Message: "promo code expired"}
	ErrPromoUsedUp    = &Error{Code: "PR003", Message: "promo code used up"}
	ErrPromoDisabled  = &Error{Code: "PR004", Message: "promo code disabled"}
	ErrPromoUserLimit = &Error{Code: "PR005", Message: "this user's limit reached"}
	ErrPromoMalformed = &Error{Code: "PR006", Message: "malformed promo code"}
	ErrPromoExists    = &Error{Code: "PR007", Message: "promo code exists"}

	ErrNoSuchPurchase   = &Error{Code: "PU001", Message: "no such purchase for this user"}
	ErrPurchaseExpired  = &Error{Code: "PU002", Message: "purchase expired"}
	ErrPurchaseNotOpen  = &Error{Code: "PU003", Message: "purchase is not open"}
	ErrNoSuchPlan       = &Error{Code: "PU004", Message: "no such tariff or period"}
	ErrBelowMinimum     = &Error{Code: "PU005", Message: "below the provider's minimum"}
	ErrTopupOutOfRange  = &Error{Code: "PU006", Message: "top-up amount out of range"}
	ErrUnknownProvider  = &Error{Code: "PY001", Message: "unknown provider"}
	ErrNotInSuspense    = &Error{Code: "PY002", Message: "payment is not in suspense"}
	ErrNoSubscription   = &Error{Code: "SU001", Message: "no subscription"}
	ErrTrialUsed        = &Error{Code: "SU002", Message: "trial already used"}
	ErrPaidSubscription = &Error{Code: "SU003", Message: "has a paid subscription"}
	ErrLeaseLost        = &Error{Code: "VP001", Message: "provisioning lease lost"}
	ErrNoSuchJob        = &Error{Code: "VP002", Message: "no such provisioning job"}
	ErrReissueUnderWay  = &Error{Code: "VP003", Message: "everybody is being given a new key already"}
	ErrNoSuchReissue    = &Error{Code: "VP004", Message: "no such request for new keys"}

	ErrNoSuchWithdrawal       = &Error{Code: "WD001", Message: "no such withdrawal"}
	ErrWithdrawalNotPending   = &Error{Code: "WD002", Message: "withdrawal is not pending"}
	ErrWithdrawalBelowMinimum = &Error{Code: "WD003", Message: "below the minimum"}
	ErrTooManyWithdrawals     = &Error{Code: "WD004", Message: "too many requests, or one is pending"}
	ErrOwnWithdrawal          = &Error{Code: "WD005", Message: "own withdrawal"}

	ErrNoSuchRequest   = &Error{Code: "CO001", Message: "no such corporate request"}
	ErrRequestIsOpen   = &Error{Code: "CO002", Message: "a corporate request is open already"}
	ErrRequestIsClosed = &Error{Code: "CO003", Message: "corporate request is closed"}

	ErrNoSuchBroadcast = &Error{Code: "BR001", Message: "no such broadcast"}
	ErrBroadcastState  = &Error{Code: "BR002", Message: "broadcast cannot change like that"}
)

var refusals = index(
	ErrNoSuchUser, ErrUserIsBlocked, ErrNotAnAdmin, ErrKeyReused, ErrIsolation, ErrStaleEpoch, ErrSwitchedOff,
	ErrBadArgument, ErrSerialization, ErrDeadlock, ErrLockTimeout, ErrInsufficientFunds, ErrNoSuchPromo, ErrPromoExpired,
	ErrPromoUsedUp, ErrPromoDisabled, ErrPromoUserLimit, ErrPromoMalformed, ErrPromoExists, ErrNoSuchPurchase,
	ErrPurchaseExpired, ErrPurchaseNotOpen, ErrNoSuchPlan, ErrBelowMinimum, ErrTopupOutOfRange, ErrUnknownProvider,
	ErrNotInSuspense, ErrNoSubscription, ErrTrialUsed, ErrPaidSubscription, ErrLeaseLost, ErrNoSuchWithdrawal,
	ErrWithdrawalNotPending, ErrWithdrawalBelowMinimum, ErrTooManyWithdrawals, ErrOwnWithdrawal,
	ErrNoSuchRequest, ErrRequestIsOpen, ErrRequestIsClosed, ErrNoSuchBroadcast, ErrBroadcastState, ErrNoSuchDraft,
	ErrNoSuchJob, ErrReissueUnderWay, ErrNoSuchReissue,
)

func index(sentinels ...*Error) map[string]*Error {
	byCode := make(map[string]*Error, len(sentinels))
	for _, sentinel := range sentinels {
		byCode[sentinel.Code] = sentinel
	}
	return byCode
}

// IsRefusal says whether the SQLSTATE is one of the contract's, and so has a sentinel above.
func IsRefusal(code string) bool { return refusals[code] != nil }
