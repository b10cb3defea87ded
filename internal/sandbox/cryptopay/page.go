package cryptopay

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/pkg/errors"
)

//go:embed page.html list.html style.css
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"money": showMoney,
	"at":    func(t time.Time) string { return t.Local().Format("02.01.2006 15:04") },
}).ParseFS(files, "page.html", "list.html"))

// policy lets the pages load their style only and send forms to themselves only.
const policy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// showMoney writes an amount for people: "1 399 ₽".
func showMoney(amount, currency string) string {
	whole, fraction, _ := strings.Cut(amount, ".")
	var grouped strings.Builder
	for n, digit := range whole {
		if n > 0 && (len(whole)-n)%3 == 0 {
			grouped.WriteString("\u00a0")
		}
		grouped.WriteRune(digit)
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		grouped.WriteString("," + (fraction + "0")[:max(2, len(fraction))])
	}
	if sign := map[string]string{"RUB": "₽", "USD": "$", "EUR": "€"}[currency]; sign != "" {
		currency = sign
	}
	return grouped.String() + "\u00a0" + currency
}

// invoiceView is what the page of an invoice shows.
type invoiceView struct {
	App      string
	Invoice  invoice
	Currency string
	Error    string
}

func (s *Server) byHash(hash string) *invoice {
	for _, i := range s.invoices {
		if i.Hash == hash {
			return i
		}
	}
	return nil
}

func (s *Server) showInvoice(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	i := s.byHash(r.PathValue("hash"))
	var view invoiceView
	var err error
	if i != nil {
		err = s.expire(i)
		view = invoiceView{App: s.opts.Name, Invoice: *i, Currency: i.currency()}
	}
	s.mu.Unlock()
	switch {
	case i == nil:
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, "the invoice could not be stored", http.StatusInternalServerError)
	default:
		writePage(w, http.StatusOK, "page.html", view)
	}
}

// payInvoice answers a form: it pays and shows the page again. Another site's form is refused.
func (s *Server) payInvoice(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		http.Error(w, "not from another site", http.StatusForbidden)
		return
	}
	s.mu.Lock()
	i := s.byHash(r.PathValue("hash"))
	var err error
	if i != nil {
		err = s.pay(i, "")
	}
	s.mu.Unlock()
	var refusal *apiError
	switch {
	case i == nil:
		http.NotFound(w, r)
	case err != nil && !errors.As(err, &refusal): // an invoice that is not to be paid shows why
		http.Error(w, "the payment could not be stored", http.StatusInternalServerError)
	default:
		http.Redirect(w, r, "/pay/"+i.Hash, http.StatusSeeOther)
	}
}

func (s *Server) showInvoices(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	view := struct {
		App      string
		Invoices []invoiceView
	}{App: s.opts.Name}
	for n, i := range s.list() {
		if n == 100 {
			break
		}
		shown := *i
		shown.expire(s.opts.Now())
		view.Invoices = append(view.Invoices, invoiceView{Invoice: shown, Currency: i.currency()})
	}
	s.mu.Unlock()
	writePage(w, http.StatusOK, "list.html", view)
}

func writePage(w http.ResponseWriter, status int, name string, view any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, view); err != nil {
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the browser has gone
}

func serveStyle(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFileFS(w, r, files, "style.css")
}
