package screen

import (
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// What admins do about keys that are promised and not delivered. A job is its user's number, a point, and its own.
const (
	VerbKeysTried Verb = "a_keys"     // the job after which a page begins, or nothing
	VerbKeysNew   Verb = "a_keys_new" // the same
	VerbKeyJob    Verb = "a_key_job"  // a job
	VerbKeyRetry  Verb = "a_key_retry"
)

func jobOf(user, job int64) string { return numbered(user) + "." + numbered(job) }

// UndeliveredKeys lists keys that an attempt has failed for, or that wait for their first.
func UndeliveredKeys(t *i18n.Text, isTried bool, page Page[sqlapi.UndeliveredKey]) Screen {
	verb, other := VerbKeysTried, press(t, "button.keys_new", VerbKeysNew)
	s := Screen{Text: t.HTML("undelivered.none_tried")}
	lines := []i18n.HTML{t.HTML("undelivered.tried")}
	if !isTried {
		verb, other = VerbKeysNew, press(t, "button.keys_tried", VerbKeysTried)
		s.Text, lines[0] = t.HTML("undelivered.none_new"), t.HTML("undelivered.new")
	}
	for _, k := range page.Lines {
		lines = append(lines, t.HTML("undelivered.line", i18n.Args{
			"mark": keyMark(k), "who": who(t, k.TelegramID, k.Username), "at": k.PromisedAt, "attempts": k.Attempts,
		}))
		label := t.Plain("button.key_line", i18n.Args{"mark": keyMark(k), "id": int64(k.TelegramID)})
		s.Rows = append(s.Rows, row(Button{Label: label, Data: VerbKeyJob.With(jobOf(int64(k.TelegramID), k.JobID))}))
	}
	if len(page.Lines) > 0 {
		s.Text = i18n.Join("\n", lines...)
	}
	s.Rows = append(s.Rows, page.turn(t, verb, func(k sqlapi.UndeliveredKey) string { return jobOf(int64(k.TelegramID), k.JobID) })...)
	s.Rows = append(s.Rows, row(press(t, "button.refresh", verb), other), row(back(t, VerbVPNKeys)), toAdmin(t))
	return s
}

// keyMark tells a key that was given up from one that is still tried.
func keyMark(k sqlapi.UndeliveredKey) string {
	if k.IsFailed {
		return "❌"
	}
	return "⏳"
}

// maxError keeps an error on the screen.
const maxError = 300

// KeyJob shows one promised key.
func KeyJob(t *i18n.Text, j sqlapi.ShownJob) Screen {
	lines := []i18n.HTML{
		t.HTML("undelivered.head", i18n.Args{
			"who": who(t, j.TelegramID, j.Username), "at": j.PromisedAt, "attempts": j.Attempts,
		}),
		t.HTML("undelivered.is_"+j.Status, i18n.Args{"due": j.DueAt}),
	}
	if j.LastError != "" {
		text := j.LastError
		if runes := []rune(text); len(runes) > maxError {
			text = string(runes[:maxError]) + "…"
		}
		lines = append(lines, t.HTML("undelivered.error", i18n.Args{"error": text}))
	}
	s := Screen{Text: i18n.Join("\n", lines...)}
	job := jobOf(int64(j.TelegramID), j.JobID)
	if j.Status == "waiting" || j.Status == "failed" {
		s.Rows = append(s.Rows, row(press(t, "button.key_retry", VerbKeyRetry, job)))
	}
	if j.PurchaseID != "" {
		s.Rows = append(s.Rows, row(press(t, "button.key_purchase", VerbInspect, string(j.PurchaseID))))
	}
	s.Rows = append(s.Rows, row(press(t, "button.refresh", VerbKeyJob, job), toUser(t, j.TelegramID)), row(back(t, VerbKeysTried)), toAdmin(t))
	return s
}
