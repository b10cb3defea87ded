package screen

import (
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sqlapi"
)

// The verbs of the system's screens.
const (
	VerbSystem    Verb = "a_system"
	VerbProcesses Verb = "a_processes"
	VerbLockWaits Verb = "a_locks"
	VerbJobs      Verb = "a_jobs"
	VerbJob       Verb = "a_job"     // a job
	VerbJobRun    Verb = "a_job_run" // a job
	VerbJobAsk    Verb = "a_job_ask" // a job
	VerbJobOff    Verb = "a_job_off" // a job
	VerbJobOn     Verb = "a_job_on"  // a job
)

// System shows how everything is.
func System(t *i18n.Text, server sqlapi.System, components []sqlapi.Component) Screen {
	lines := []i18n.HTML{t.HTML("system.head", i18n.Args{"at": server.CheckedAt})}
	kind := ""
	for _, c := range components {
		if c.Kind != kind && c.Kind != "dependency" {
			lines = append(lines, "")
		}
		kind = c.Kind
		lines = append(lines, componentLine(t, c))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		row(press(t, "button.jobs", VerbJobs), press(t, "button.dead_letters", VerbDeadLetters)),
		row(press(t, "button.lock_waits", VerbLockWaits), press(t, "button.processes", VerbProcesses)),
		row(press(t, "button.refresh", VerbSystem)), toAdmin(t),
	}}
}

// componentLine says how something is. What is all right needs no explanation, but for how much waits in a queue.
func componentLine(t *i18n.Text, c sqlapi.Component) i18n.HTML {
	args := i18n.Args{"what": partName(t, c), "state": stateName(t, c.State), "sign": stateSign(c.State)}
	if c.Detail == "" || c.State == "up" && c.Kind != "part" {
		return t.HTML("system.line", args)
	}
	args["detail"] = shorten(c.Detail, maxDetail)
	return t.HTML("system.line_detail", args)
}

// maxDetail keeps one line of many from filling the screen, also when all of it has to be escaped.
const maxDetail = 60

func partName(t *i18n.Text, c sqlapi.Component) string {
	if key := "word.part_" + strings.ReplaceAll(c.Name, " ", "_"); t.Has(key) {
		return t.Plain(key)
	}
	return c.Name
}

func stateSign(state string) string {
	switch state {
	case "up":
		return "🟢"
	case "down":
		return "🔴"
	case "unknown":
		return "⚪"
	default:
		return "🟡"
	}
}

// OwnProcess is the process that draws the screen.
type OwnProcess struct {
	Holder    string
	Version   string
	StartedAt time.Time
}

// Processes shows what runs, and since when.
func Processes(t *i18n.Text, own OwnProcess, server sqlapi.System, leaders []sqlapi.Process) Screen {
	lines := []i18n.HTML{
		t.HTML("system.versions", i18n.Args{
			"version": own.Version, "schema": server.SchemaVersion, "postgres": server.PostgresVersion,
			"since": server.PostgresStartedAt, "size": megabytes(server.DatabaseBytes), "sessions": server.Sessions,
			"most": server.MaxSessions,
		}),
		"", t.HTML("system.own_process", i18n.Args{"holder": own.Holder, "since": own.StartedAt}),
		"", t.HTML("system.leaders"),
	}
	for _, p := range leaders[:min(len(leaders), mostLeaders)] {
		lines = append(lines, t.HTML("system.leader", i18n.Args{
			"holder": p.Holder, "since": p.Since, "number": len(p.Leads), "leads": shorten(strings.Join(p.Leads, ", "), maxLeads),
		}))
	}
	if len(leaders) == 0 {
		lines = append(lines, t.HTML("system.no_leaders"))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		row(press(t, "button.refresh", VerbProcesses)), row(back(t, VerbSystem)), toAdmin(t),
	}}
}

// What of the processes has room on a screen.
const (
	mostLeaders = 10
	maxLeads    = 200
)

// megabytes writes a size.
func megabytes(bytes int64) string { return strconv.FormatInt(bytes>>20, 10) }

// LockWaits shows who waits for whom.
func LockWaits(t *i18n.Text, waits []sqlapi.LockWait) Screen {
	lines := []i18n.HTML{t.HTML("system.locks")}
	for _, w := range waits {
		lines = append(lines, "", t.HTML("system.lock", i18n.Args{
			"waited": seconds(w.Waited), "what": w.WaitsFor, "pid": w.PID, "app": shorten(w.Application, maxDetail),
			"query": shorten(w.Query, maxDetail),
		}), t.HTML("system.lock_behind", i18n.Args{
			"pid": w.BlockingPID, "app": shorten(w.BlockingApp, maxDetail), "state": w.BlockingState,
			"lasts": seconds(w.BlockingForSoFar), "query": shorten(w.BlockingQuery, maxDetail),
		}))
	}
	if len(waits) == 0 {
		lines = append(lines, t.HTML("system.no_locks"))
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: [][]Button{
		row(press(t, "button.refresh", VerbLockWaits)), row(back(t, VerbSystem)), toAdmin(t),
	}}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) }

// Jobs lists the schedule: what fails first.
func Jobs(t *i18n.Text, all []sqlapi.ListedJob) Screen {
	lines := []i18n.HTML{t.HTML("job.head")}
	var rows [][]Button
	for i, j := range all {
		lines = append(lines, t.HTML("job.line", i18n.Args{"sign": jobSign(j), "name": j.Name, "schedule": j.Schedule}))
		if i%2 == 0 {
			rows = append(rows, nil)
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], Button{Label: jobSign(j) + " " + j.Name, Data: VerbJob.With(j.Name)})
	}
	return Screen{Text: i18n.Join("\n", lines...), Rows: append(rows, row(back(t, VerbSystem)), toAdmin(t))}
}

func jobSign(j sqlapi.ListedJob) string {
	switch {
	case !j.IsEnabled:
		return "⛔"
	case j.ConsecutiveFailures > 0:
		return "🔴"
	case j.LastFinishedAt == nil:
		return "⚪"
	}
	return "🟢"
}

// Job shows a job.
func Job(t *i18n.Text, j sqlapi.ListedJob) Screen {
	lines := []i18n.HTML{
		t.HTML("job.line", i18n.Args{"sign": jobSign(j), "name": j.Name, "schedule": j.Schedule}),
		t.HTML("job.is_" + onOrOff(j.IsEnabled)), aboutJob(t, j), "",
	}
	if j.LastFinishedAt != nil {
		lines = append(lines, t.HTML("job.last", i18n.Args{"at": *j.LastFinishedAt, "items": j.LastItems}))
	} else {
		lines = append(lines, t.HTML("job.never"))
	}
	if j.ConsecutiveFailures > 0 {
		lines = append(lines, t.HTML("job.failing", i18n.Args{"times": j.ConsecutiveFailures, "error": clip(j.LastError)}))
	}
	if j.IsExclusive && j.NextRunAt != nil {
		lines = append(lines, t.HTML("job.next", i18n.Args{"at": *j.NextRunAt}))
	}
	if j.Leader != "" {
		lines = append(lines, t.HTML("job.leader", i18n.Args{"holder": j.Leader}))
	}
	var rows [][]Button
	if j.IsEnabled && j.IsExclusive {
		rows = append(rows, row(press(t, "button.job_run", VerbJobRun, j.Name)))
	}
	if j.IsEnabled {
		rows = append(rows, row(press(t, "button.switch_off", VerbJobAsk, j.Name)))
	} else {
		rows = append(rows, row(press(t, "button.switch_on", VerbJobOn, j.Name)))
	}
	return Screen{
		Text: i18n.Join("\n", lines...),
		Rows: append(rows, row(press(t, "button.refresh", VerbJob, j.Name)), row(back(t, VerbJobs)), toAdmin(t)),
	}
}

// aboutJob is what a job does: in the admin's language, or as the database says it of one that the catalogue does not know.
func aboutJob(t *i18n.Text, j sqlapi.ListedJob) i18n.HTML {
	if key := "job.about_" + strings.ReplaceAll(j.Name, ".", "_"); t.Has(key) {
		return t.HTML(key)
	}
	return t.HTML("job.about_other", i18n.Args{"what": j.Description})
}

// AskJobOff asks to confirm that nobody runs a job.
func AskJobOff(t *i18n.Text, j sqlapi.ListedJob) Screen {
	return Screen{
		Text: i18n.Join("\n\n", t.HTML("job.ask_off", i18n.Args{"name": j.Name}), aboutJob(t, j)),
		Rows: [][]Button{row(press(t, "button.switch_off_now", VerbJobOff, j.Name)), row(back(t, VerbJob, j.Name)), toAdmin(t)},
	}
}

// JobBroughtForward is the toast after a job was made due.
func JobBroughtForward(t *i18n.Text, isChanged bool) string {
	if isChanged {
		return t.Plain("alert.job_due")
	}
	return t.Plain("alert.job_due_already")
}

// JobSwitched is the toast after a job was switched.
func JobSwitched(t *i18n.Text, isEnabled, isReplay bool) string {
	if isReplay {
		return t.Plain("alert.done_already")
	}
	return t.Plain("alert.job_" + onOrOff(isEnabled))
}
