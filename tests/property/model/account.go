package model

import "time"

func init() {
	rules["account.block"] = func(w *World, a Args) Answer { return w.setBlocked(a, true) }
	rules["account.unblock"] = func(w *World, a Args) Answer { return w.setBlocked(a, false) }
	rules["account.set_vip"] = setVIP
	rules["account.set_discount"] = setDiscount
}

func (w *World) setBlocked(a Args, isBlocked bool) Answer {
	w.admin(a)
	u := w.user(a)
	if u.IsBlocked && !isBlocked && u.Subscription != nil {
		u.Subscription.isDeclined = false
	}
	u.IsBlocked = isBlocked
	return Answer{"telegram_id": u.ID, "is_blocked": isBlocked}
}

func setVIP(w *World, a Args) Answer {
	w.admin(a)
	u := w.user(a)
	u.IsVIP = a["p_is_vip"] == true
	return w.discount(u)
}

func setDiscount(w *World, a Args) Answer {
	w.admin(a)
	u := w.user(a)
	ends, isSet := a["p_expires_at"].(time.Time)
	if isSet && !ends.After(w.Now) {
		refuse("22023")
	}
	u.DiscountPercent, u.DiscountEnds = a.int("p_percent"), nil
	if isSet && u.DiscountPercent > 0 {
		u.DiscountEnds = &ends
	}
	return w.discount(u)
}

func (w *World) discount(u *User) Answer {
	_, percent, _, _ := u.price(w.Now, "basic", 1, nil)
	return Answer{"telegram_id": u.ID, "discount_percent": percent}
}
