package model

import "time"

// What is sold, in kopecks; the rank of a tariff is its place.
var (
	tariffs = []string{"basic", "plus"}
	list    = map[string]map[int]int{
		"basic": {1: 14900, 3: 39900, 6: 74900, 12: 139900},
		"plus":  {1: 29900, 3: 69900, 6: 119900, 12: 229900},
	}
)

const vipPercent = 30

// price: the largest discount wins, a tie goes to VIP or personal; rounded half up, once. code is nil, or may be used.
func (u *User) price(now time.Time, tariff string, months int, code *Code) (listed, percent, price int, kind string) {
	listed = list[tariff][months]
	kind = "none"
	if u.DiscountPercent > 0 && (u.DiscountEnds == nil || u.DiscountEnds.After(now)) {
		kind, percent = "personal", u.DiscountPercent
	}
	if u.IsVIP && vipPercent >= percent {
		kind, percent = "vip", vipPercent
	}
	if code != nil && code.Percent > percent {
		kind, percent = "promo", code.Percent
	}
	return listed, percent, (listed*(100-percent) + 50) / 100, kind
}

// addMonths adds calendar months in UTC: 31 January and a month is the last of February.
func addMonths(t time.Time, months int) time.Time {
	t = t.UTC()
	year, month, dayOfMonth := t.Date()
	firstOfMonth := time.Date(year, month+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	lastDay := firstOfMonth.AddDate(0, 1, -1).Day()
	return firstOfMonth.AddDate(0, 0, min(dayOfMonth, lastDay)-1)
}
