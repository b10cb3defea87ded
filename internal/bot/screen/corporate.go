package screen

import (
	"strconv"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of corporate access.
const (
	VerbCorporate     Verb = "corp"
	VerbCorporateAsk  Verb = "corp_ask"
	VerbCorporateSend Verb = "corp_yes"  // the confirm screen's number
	VerbCorporateTake Verb = "corp_back" // a request, to take it back

	VerbAdminCorporate     Verb = "a_corp"
	VerbAdminCorporateDone Verb = "a_corp_done" // a user and a request
)

// Corporate says what corporate access is and what asking means, or how the request stands that waits.
func Corporate(t *i18n.Text, latest []sqlapi.OwnCorporate) Screen {
	s := Screen{
		Text: t.HTML("corporate.text"),
		Rows: [][]Button{row(press(t, "button.corporate_ask", VerbCorporateAsk)), row(back(t, VerbBuy)), toMenu(t)},
	}
	for _, request := range latest {
		switch {
		case request.ClosedAt == nil:
			return waitingCorporate(t, request)
		case !request.IsOwnClosing:
			s.Text = i18n.Join("\n\n", s.Text, t.HTML("corporate.is_closed", i18n.Args{"at": *request.ClosedAt}))
		}
	}
	return s
}

func waitingCorporate(t *i18n.Text, request sqlapi.OwnCorporate) Screen {
	return Screen{
		Text: t.HTML("corporate.is_waiting", i18n.Args{
			"at": request.RequestedAt, "company": request.Company, "contact": request.Contact,
		}),
		Rows: [][]Button{
			row(press(t, "button.corporate_take", VerbCorporateTake, strconv.FormatInt(request.RequestID, 10))),
			row(press(t, "button.support", VerbSupport)),
			row(back(t, VerbBuy)),
			toMenu(t),
		},
	}
}

// AskCompany asks for whom corporate access is wanted; again after what cannot be the answer.
func AskCompany(t *i18n.Text, isWrong bool) Screen { return askWords(t, "corporate.company", isWrong) }

// AskContact asks how to reach the person; again after what cannot be the answer.
func AskContact(t *i18n.Text, isWrong bool) Screen { return askWords(t, "corporate.contact", isWrong) }

func askWords(t *i18n.Text, key string, isWrong bool) Screen {
	s := Screen{Text: t.HTML(key), Rows: [][]Button{row(press(t, "button.leave", VerbCorporate))}}
	if isWrong {
		s.Text = i18n.Join("\n\n", t.HTML("corporate.wrong"), s.Text)
	}
	return s
}

// ConfirmCorporate shows what would be sent to the admins. The number is this screen's own.
func ConfirmCorporate(t *i18n.Text, company, contact, number string) Screen {
	return Screen{
		Text: t.HTML("corporate.confirm", i18n.Args{"company": company, "contact": contact}),
		Rows: [][]Button{
			row(press(t, "button.corporate_send", VerbCorporateSend, number)),
			row(press(t, "button.leave", VerbCorporate)),
		},
	}
}

// CorporateArgs are of a request for corporate access, with the user's card. What the user has not got is empty.
type CorporateArgs struct {
	RequestID    int64        `json:"request_id"`
	TelegramID   int64        `json:"telegram_id"`
	Username     string       `json:"username"`
	Company      string       `json:"company"`
	Contact      string       `json:"contact"`
	RegisteredAt time.Time    `json:"registered_at"`
	Tariff       atlas.Tariff `json:"user_tariff"`
	ExpiresAt    *time.Time   `json:"user_expires_at"`
}

// CorporateRequested tells an admin who asks for corporate access.
func CorporateRequested(t *i18n.Text, args CorporateArgs) Screen {
	card := t.HTML("notice.corporate_without")
	if args.ExpiresAt != nil {
		card = t.HTML("notice.corporate_with", i18n.Args{"tariff": tariffName(t, args.Tariff), "until": *args.ExpiresAt})
	}
	return Screen{
		Text: i18n.Join("\n",
			t.HTML("notice.corporate_requested", i18n.Args{
				"number": args.RequestID, "company": args.Company, "contact": args.Contact,
			}),
			t.HTML("notice.corporate_user", i18n.Args{
				"id": args.TelegramID, "name": userName(args.Username), "since": i18n.Day(args.RegisteredAt),
			}),
			card),
		Rows: [][]Button{
			row(press(t, "button.corporate_user", VerbAdminUser, userNumber(atlas.TelegramID(args.TelegramID)))),
			row(press(t, "button.corporate_list", VerbAdminCorporate)),
			toMenu(t),
		},
	}
}

// CorporatePage is how many requests one screen of admins shows.
const CorporatePage = 3

// CorporateList shows admins the oldest requests; one more than a page says that there are more.
func CorporateList(t *i18n.Text, waiting []sqlapi.WaitingCorporate) Screen {
	lines := []i18n.HTML{t.HTML("admin.corporate")}
	var rows [][]Button
	for i, w := range waiting {
		if i == CorporatePage {
			lines = append(lines, t.HTML("admin.corporate_more"))
			break
		}
		lines = append(lines, t.HTML("admin.corporate_line", i18n.Args{
			"number": w.RequestID, "at": w.RequestedAt, "id": int64(w.TelegramID), "name": userName(w.Username),
			"company": shorten(w.Company, maxWords), "contact": shorten(w.Contact, maxWords),
		}))
		number := strconv.FormatInt(w.RequestID, 10)
		rows = append(rows, row(
			Button{
				Label: t.Plain("button.corporate_user_of", i18n.Args{"number": w.RequestID}),
				Data:  VerbAdminUser.With(userNumber(w.TelegramID)),
			},
			Button{
				Label: t.Plain("button.corporate_done", i18n.Args{"number": w.RequestID}),
				Data:  VerbAdminCorporateDone.With(userNumber(w.TelegramID), number),
			}))
	}
	if len(waiting) == 0 {
		lines = append(lines, t.HTML("admin.corporate_none"))
	}
	rows = append(rows, row(press(t, "button.refresh", VerbAdminCorporate)), toAdmin(t), toMenu(t))
	return Screen{Text: i18n.Join("\n\n", lines...), Rows: rows}
}

// maxWords lets a page of requests fit into one message, also when all of their words have to be escaped.
const maxWords = 90
