package screen

import (
	"atlas-secure/internal/atlas"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of dead letters.
const (
	VerbDeadLetters   Verb = "a_dead"         // the number before which a page begins
	VerbDeadLetter    Verb = "a_letter"       // a dead letter
	VerbLetterRetry   Verb = "a_letter_retry" // a dead letter
	VerbLetterAsk     Verb = "a_letter_ask"   // a dead letter
	VerbLetterDropped Verb = "a_letter_yes"   // a draft
)

// DeadLetters lists what was given up.
func DeadLetters(t *i18n.Text, page Page[sqlapi.ListedLetter]) Screen {
	s := Screen{Text: t.HTML("dead.head")}
	if len(page.Lines) == 0 {
		s.Text = t.HTML("dead.none")
	}
	for _, d := range page.Lines {
		s.Text = i18n.Join("\n", s.Text, t.HTML("dead.line", i18n.Args{
			"at": d.DiedAt, "job": d.JobName, "subject": shorten(d.Subject, maxDetail), "error": shorten(d.Error, maxDetail),
		}))
		s.Rows = append(s.Rows, row(Button{
			Label: shorten(d.JobName+" · "+d.Subject, MaxLabel-1), Data: VerbDeadLetter.With(numbered(d.DeadID)),
		}))
	}
	s.Rows = append(append(s.Rows, page.turn(t, VerbDeadLetters, func(d sqlapi.ListedLetter) string { return numbered(d.DeadID) })...), row(back(t, VerbSystem)), toAdmin(t))
	return s
}

// DeadLetter shows one.
func DeadLetter(t *i18n.Text, d sqlapi.DeadLetter) Screen {
	s := Screen{Text: deadLetter(t, d), Rows: [][]Button{
		row(press(t, "button.letter_retry", VerbLetterRetry, numbered(d.DeadID)), press(t, "button.letter_drop", VerbLetterAsk, numbered(d.DeadID))),
	}}
	if d.TelegramID != 0 {
		s.Rows = append(s.Rows, row(press(t, "button.to_user", VerbAdminUser, userNumber(d.TelegramID))))
	}
	s.Rows = append(s.Rows, row(back(t, VerbDeadLetters)), toAdmin(t))
	return s
}

func deadLetter(t *i18n.Text, d sqlapi.DeadLetter) i18n.HTML {
	return t.HTML("dead.card", i18n.Args{
		"number": d.DeadID, "job": d.JobName, "subject": shorten(d.Subject, maxDetail), "error": clip(d.Error), "at": d.DiedAt,
	})
}

// NoDeadLetter says that somebody was faster.
func NoDeadLetter(t *i18n.Text) Screen {
	return Screen{Text: t.HTML("dead.gone"), Rows: [][]Button{row(back(t, VerbDeadLetters)), toAdmin(t)}}
}

// AskLetterDropped asks to confirm that one is taken out.
func AskLetterDropped(t *i18n.Text, d sqlapi.DeadLetter, draft atlas.DraftID) Screen {
	return Screen{Text: i18n.Join("\n\n", t.HTML("dead.ask_drop"), deadLetter(t, d)), Rows: [][]Button{
		row(press(t, "button.letter_drop_now", VerbLetterDropped, string(draft))),
		row(back(t, VerbDeadLetter, numbered(d.DeadID))), toAdmin(t),
	}}
}

// LetterRetried is the toast after one was put back to work.
func LetterRetried(t *i18n.Text) string { return t.Plain("alert.letter_retried") }

// LetterNotRetried is the toast where there was nothing to put back.
func LetterNotRetried(t *i18n.Text) string { return t.Plain("alert.letter_not_retried") }

// LetterDropped is the toast after one was taken out.
func LetterDropped(t *i18n.Text, isDropped bool) string {
	if isDropped {
		return t.Plain("alert.letter_dropped")
	}
	return t.Plain("alert.done_already")
}
