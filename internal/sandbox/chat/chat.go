// Package chat is the sandbox's chat page: plain HTML, CSS and JavaScript, embedded in the binary, that shows several
// people side by side and lets one act as each of them, with the control panel beside them. It stands on the persons' API
// of package botapi and on the API of package panel, and must be served from the same address (botapi.Options.Fallback).
//
// Elements that tests need carry stable data-testid attributes: chat-<person id> is a column, and inside it message (with
// data-message-id), button, pay, start, start-payload, start-link, composer-input, composer-send, commands, command, toast,
// photo, document, more, block; outside it tab-<person id>, add-person, the form new-person, and the dialogs pay-dialog and
// alert. The panel has panel-toggle, panel, clock, ahead, advance (data-seconds), clock-result, service-<name> (data-state)
// with action (data-action), books, transfer (data-reason), components, queues, jobs, letters.
package chat

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
)

//go:embed page
var page embed.FS

// policy lets the page load nothing from elsewhere and run nothing that is not in its own files.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Options of the page.
type Options struct {
	Title  string  // default: Atlas Secure sandbox
	People []int64 // whose columns are open at first; empty: the first two people
	Links  []Link  // shown at the end of the panel
	// HasPanel shows the control panel: package panel's API is under /panel/ at the same address.
	HasPanel bool
}

// Link is an address beside the page.
type Link struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Handler serves the page at /, its files beside it and its settings at /page.json.
func Handler(opts Options) http.Handler {
	settings := struct {
		Title    string  `json:"title"`
		People   []int64 `json:"people"`
		Links    []Link  `json:"links"`
		HasPanel bool    `json:"has_panel"`
	}{opts.Title, opts.People, opts.Links, opts.HasPanel}
	if settings.Title == "" {
		settings.Title = "Atlas Secure sandbox"
	}
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	static := http.FileServerFS(files)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(settings) // the browser has gone
	})
	mux.Handle("GET /", static)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-cache")
		mux.ServeHTTP(w, r)
	})
}
