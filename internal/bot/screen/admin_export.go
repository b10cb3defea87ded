package screen

import (
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of exports.
const (
	VerbExports      Verb = "a_exports"       // the number before which a page begins
	VerbExport       Verb = "a_export"        // what is in it
	VerbExportCancel Verb = "a_export_cancel" // an export
)

// ExportKinds are what the screen offers; the codes of a batch are asked for where they are shown.
var ExportKinds = []string{sqlapi.ExportUsers, sqlapi.ExportSubscriptions, sqlapi.ExportLedger}

// ExportPage is how many exports the screen shows.
const ExportPage = 6

// Exports lists what an admin has asked for and how far it is, and offers what can be asked for.
func Exports(t *i18n.Text, page Page[sqlapi.ListedExport]) Screen {
	lines := []i18n.HTML{t.HTML("export.head")}
	if len(page.Lines) == 0 {
		lines = append(lines, t.HTML("export.none"))
	}
	var rows [][]Button
	for _, e := range page.Lines {
		lines = append(lines, exportLine(t, e))
		if e.Outcome == "" {
			rows = append(rows, row(Button{
				Label: t.Plain("button.export_cancel", i18n.Args{"what": exportName(t, e.Kind, e.BatchID)}),
				Data:  VerbExportCancel.With(numbered(e.ExportID)),
			}))
		}
	}
	var kinds []Button
	for _, kind := range ExportKinds {
		kinds = append(kinds, press(t, "button.export_"+kind, VerbExport, kind))
	}
	rows = append(append(rows, kinds[:2], kinds[2:]),
		page.turn(t, VerbExports, func(e sqlapi.ListedExport) string { return numbered(e.ExportID) })...)
	return Screen{Text: i18n.Join("\n\n", lines...), Rows: append(rows, row(press(t, "button.refresh", VerbExports)), toAdmin(t))}
}

// exportName is what an export has in it.
func exportName(t *i18n.Text, kind string, batch int64) string {
	if batch != 0 {
		return t.Plain("word.export_batch", i18n.Args{"number": batch})
	}
	return known(t, "word.export_"+kind, kind)
}

// exportLine is one export and how far it is. What waits after a failure says why.
func exportLine(t *i18n.Text, e sqlapi.ListedExport) i18n.HTML {
	state := e.Outcome
	switch {
	case state == "" && e.IsRunning:
		state = "running"
	case state == "" && e.LastError != "":
		state = "again"
	case state == "":
		state = "waiting"
	}
	args := i18n.Args{
		"what": exportName(t, e.Kind, e.BatchID), "at": e.RequestedAt, "expected": e.ExpectedRows, "read": e.RowsRead,
		"sent": e.RowsSent, "parts": e.Parts, "error": shorten(e.LastError, maxDetail),
	}
	return t.HTML("export.is_"+state, args)
}

// ExportPart is the caption of a file.
func ExportPart(t *i18n.Text, e sqlapi.ClaimedExport, part sqlapi.ExportPart) Screen {
	lines := []i18n.HTML{t.HTML("export.part", i18n.Args{
		"what": exportName(t, e.Kind, e.BatchID), "part": part.Number, "rows": part.Rows, "from": part.From, "to": part.To,
	})}
	if e.Kind == sqlapi.ExportLedger {
		lines = append(lines, t.HTML("export.as_of", i18n.Args{"at": e.RequestedAt}))
	}
	if part.IsLast {
		lines = append(lines, t.HTML("export.last", i18n.Args{"rows": part.RowsBefore + part.Rows}))
	} else {
		lines = append(lines, t.HTML("export.more"))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		append(row(press(t, "button.exports", VerbExports)), toAdmin(t)...),
	}}
}

// ExportAsked is the toast after one was asked for.
func ExportAsked(t *i18n.Text, isReplay bool) string {
	if isReplay {
		return t.Plain("alert.export_underway")
	}
	return t.Plain("alert.export_begun")
}

// ExportStopped is the toast after one was cancelled.
func ExportStopped(t *i18n.Text, isCancelled bool) string {
	if isCancelled {
		return t.Plain("alert.export_cancelled")
	}
	return t.Plain("alert.export_over")
}
