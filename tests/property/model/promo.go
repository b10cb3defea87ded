package model

import (
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
)

func init() {
	rules["promo.issue"] = issue
	rules["promo.disable"] = disable
	rules["promo.set_limit"] = setLimit
	rules["promo.validate"] = validate
}

// Code is a promo code and its uses: reserved while the purchase is open, consumed once it is paid.
type Code struct {
	Name             string // as typed, canonical; or of the Ref of a generated one
	IsGenerated      bool
	Percent, PerUser int
	Max              int // 0: no limit
	Ends             *time.Time
	IsOff            bool
	Uses             map[*Purchase]bool
}

// Ref is the code's own text, which the model does not know where it was generated.
func (c *Code) Ref() any {
	if c.IsGenerated {
		return Ref{"code", c.Name}
	}
	return c.Name
}

var canonicalForm = regexp.MustCompile(`^[A-Z0-9]{3,32}$`)

// canonical is the form of a code that counts, or a refusal. A Ref and null stay.
func canonical(value any) any {
	text, isText := value.(string)
	if !isText {
		return value
	}
	text = strings.ToUpper(strings.TrimSpace(text))
	if !canonicalForm.MatchString(text) {
		refuse("PR006")
	}
	return text
}

// withCode is the call with its code in canonical form.
func withCode(a Args, name string) Args {
	again := maps.Clone(a)
	again[name] = canonical(a[name])
	return again
}

func (w *World) code(value any) *Code {
	for _, c := range w.Codes {
		if c.Ref() == value {
			return c
		}
	}
	return nil
}

func issue(w *World, a Args) Answer {
	a = withCode(a, "p_code")
	admin := w.admin(a)
	return w.once(admin, "issue", a, "", func() Answer {
		c := &Code{Percent: a.int("p_discount_percent"), Max: a.int("p_max_uses"), PerUser: max(a.int("p_per_user_limit"), 1),
			Uses: map[*Purchase]bool{}}
		if ends, isSet := a["p_expires_at"].(time.Time); isSet {
			c.Ends = &ends
		}
		if c.Name = a.text("p_code"); c.Name == "" {
			c.Name, c.IsGenerated = fmt.Sprint("of ", admin, " ", a["p_idempotency_key"]), true
		}
		if w.code(c.Ref()) != nil {
			refuse("PR007")
		}
		w.Codes = append(w.Codes, c)
		return Answer{"promo_id": Ref{"promo", c.Name}, "code": c.Ref()}
	})
}

func disable(w *World, a Args) Answer {
	c := w.changing(a)
	answer := Answer{"code": c.Ref(), "is_active": false, "is_replay": c.IsOff}
	c.IsOff = true
	return answer
}

func setLimit(w *World, a Args) Answer {
	c := w.changing(a)
	limit := a.int("p_max_uses")
	answer := Answer{"code": c.Ref(), "max_uses": a["p_max_uses"], "is_replay": c.Max == limit}
	if c.Max != limit && limit > 0 && len(c.Uses) > limit {
		refuse("PR003")
	}
	c.Max = limit
	return answer
}

func (w *World) changing(a Args) *Code {
	value := canonical(a["p_code"])
	w.admin(a)
	c := w.code(value)
	if c == nil {
		refuse("PR001")
	}
	return c
}

func validate(w *World, a Args) Answer {
	value := canonical(a["p_code"])
	u := w.user(a)
	c := w.usable(u.ID, value)
	answer := Answer{"code": c.Ref(), "discount_percent": c.Percent, "expires_at": nil, "uses_left": nil}
	if c.Ends != nil {
		answer["expires_at"] = *c.Ends
	}
	if c.Max > 0 {
		answer["uses_left"] = c.Max - len(c.Uses)
	}
	return answer
}

// usable is the code, if this user could open a purchase with it now.
func (w *World) usable(user int, value any) *Code {
	c := w.code(value)
	switch {
	case c == nil:
		refuse("PR001")
	case c.IsOff:
		refuse("PR004")
	case c.Ends != nil && !c.Ends.After(w.Now):
		refuse("PR002")
	}
	if why, _ := w.room(user, c); why != "" {
		refuse(why)
	}
	return c
}

// room says whether a user can take a use of a code, or why not. Who is at the own limit gives up the own oldest open
// purchase with it.
func (w *World) room(user int, c *Code) (why string, gives *Purchase) {
	mine := 0
	for _, p := range w.Purchases {
		if !c.Uses[p] || p.Owner != user {
			continue
		}
		mine++
		if p.Status == "open" && gives == nil {
			gives = p
		}
	}
	switch {
	case mine >= c.PerUser && gives == nil:
		return "PR005", nil
	case mine >= c.PerUser:
		return "", gives
	case c.Max > 0 && len(c.Uses) >= c.Max:
		return "PR003", nil
	default:
		return "", nil
	}
}

// reserve takes a use for a purchase, or tells that there is none.
func (w *World) reserve(p *Purchase, c *Code) bool {
	why, gives := w.room(p.Owner, c)
	if why != "" {
		return false
	}
	if gives != nil {
		w.close(gives, "cancelled")
	}
	p.code = c
	c.Uses[p] = true
	return true
}
