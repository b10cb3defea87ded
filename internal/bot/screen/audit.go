package screen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// Where admins see what was done. Each may carry the event before which a page begins.
const (
	VerbAdminAudit   Verb = "a_audit"
	VerbAdminAuditOn Verb = "a_audit_on" // a user
	VerbAdminAuditBy Verb = "a_audit_by" // a user
)

// How many events a page has, and how much of a name and of an id a line shows.
const (
	AuditPage       = 6
	maxAuditName    = 20
	maxAuditSubject = 44
)

// Audit shows a page of what was done: when, by whom, what, to whom. One event more than fits says that there are more.
func Audit(t *i18n.Text, verb Verb, filter sqlapi.AuditFilter, events []sqlapi.AuditEvent) Screen {
	page := PageOf(events, AuditPage, filter.Before == "")
	texts := []i18n.HTML{auditHead(t, filter)}
	for _, e := range page.Lines {
		texts = append(texts, auditEvent(t, e))
	}
	if len(page.Lines) == 0 {
		texts = append(texts, t.HTML("admin.audit_empty"))
	}
	var of []string
	if user := max(filter.Subject, filter.Actor); user != 0 {
		of = []string{userNumber(user)}
	}
	var turn []Button
	if !page.IsFirst {
		turn = append(turn, press(t, "button.to_start", verb, of...))
	}
	if page.HasMore {
		turn = append(turn, press(t, "button.further", verb, append(of, page.Lines[len(page.Lines)-1].EventID)...))
	}
	s := Screen{Text: i18n.Join("\n\n", texts...)}
	if len(turn) > 0 {
		s.Rows = append(s.Rows, turn)
	}
	if len(of) > 0 {
		s.Rows = append(s.Rows, row(press(t, "button.a_audit_all", VerbAdminAudit)), row(back(t, VerbAdminUser, of...)))
	}
	s.Rows = append(s.Rows, toAdmin(t))
	return s
}

func auditHead(t *i18n.Text, filter sqlapi.AuditFilter) i18n.HTML {
	switch {
	case filter.Subject != 0:
		return t.HTML("admin.audit_on", i18n.Args{"id": int64(filter.Subject)})
	case filter.Actor != 0:
		return t.HTML("admin.audit_by", i18n.Args{"id": int64(filter.Actor)})
	default:
		return t.HTML("admin.audit_head")
	}
}

func auditEvent(t *i18n.Text, e sqlapi.AuditEvent) i18n.HTML {
	who := t.Plain("word.audit_system")
	if e.ActorID != 0 {
		who = userNumber(e.ActorID)
		if e.ActorName != "" {
			who = shorten(userName(e.ActorName), maxAuditName) + " " + who
		}
	}
	subject := shorten(e.SubjectID, maxAuditSubject)
	if subject == "" {
		subject = "—"
	}
	line := t.HTML("admin.audit_line", i18n.Args{
		"at": e.OccurredAt, "who": who, "what": auditAction(t, e.Action), "whom": subject,
	})
	if details := auditDetails(t, e.Details); details != "" {
		line = i18n.Join("\n", line, t.HTML("admin.audit_details", i18n.Args{"details": details}))
	}
	return line
}

// auditAction is an action in words, where there are some.
func auditAction(t *i18n.Text, action string) string {
	name, isRefusal := strings.CutPrefix(action, "refused.")
	if reason, isMoney := strings.CutPrefix(name, "ledger."); isMoney {
		name = known(t, "word.reason_"+reason, name)
	} else {
		name = known(t, "word.audit_"+strings.ReplaceAll(name, ".", "_"), name)
	}
	if isRefusal {
		return t.Plain("word.audit_refused", i18n.Args{"what": name})
	}
	return name
}

// maxDetails is how many of an event's details are shown.
const maxDetails = 3

// auditDetails are the first of an event's details, money in the form of the language.
func auditDetails(t *i18n.Text, details map[string]any) string {
	var names []string
	for name, value := range details {
		if value != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var shown []string
	for _, name := range names[:min(len(names), maxDetails)] {
		value := fmt.Sprint(details[name])
		if number, isNumber := details[name].(float64); isNumber {
			value = strconv.FormatFloat(number, 'f', -1, 64)
			if strings.HasSuffix(name, "_kopecks") {
				name, value = strings.TrimSuffix(name, "_kopecks"), t.Money(atlas.Kopecks(number))
			}
		}
		shown = append(shown, name+": "+value)
	}
	return short(strings.Join(shown, "; "))
}
