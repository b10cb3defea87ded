package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// stepTime is how long one step in the browser may take.
const stepTime = 3 * time.Minute

// album is the folder with the screenshots.
type album struct{ folder string }

// newAlbum makes the folder: ATLAS_SCREENSHOTS, else one that stays where temporary files are, for people to look at.
func newAlbum(t testing.TB) *album {
	t.Helper()
	folder := os.Getenv("ATLAS_SCREENSHOTS")
	var err error
	if folder == "" {
		folder, err = os.MkdirTemp("", "atlas-screenshots-") //nolint:usetesting // people look at them after the test
	} else {
		err = os.MkdirAll(folder, 0o755)
	}
	require.NoError(t, err)
	say("screenshots: %s", folder)
	return &album{folder: folder}
}

// page is the chat page in a browser of its own.
type page struct {
	*bundle
	visit
	tab    context.Context
	album  *album
	person int64
	number int // of the next screenshot

	mu       sync.Mutex
	problems []string // what the browser complained of
}

// openPage starts a browser and opens the chat page.
func openPage(b *bundle, v visit, shots *album) *page {
	b.Helper()
	browser := findProgram(b, "chromium", "chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.WSURLReadTimeout(stepTime))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	p := &page{bundle: b, visit: v, album: shots, number: 1}
	allocator, stop := chromedp.NewExecAllocator(b.ctx, options...)
	b.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator, chromedp.WithListener(p.listen))
	b.Cleanup(closeTab)
	p.tab = tab
	p.do("set the screen", v.screen(), v.colours())
	p.do("open", chromedp.Navigate(b.sandbox.HTTP.Chat), chromedp.WaitVisible(chromedp.CSS(`[data-testid="add-person"]`)))
	return p
}

// screen is the size, and on a phone the kind, of the screen.
func (v visit) screen() chromedp.Action[chromedp.Void] {
	if v.isPhone {
		return chromedp.EmulateViewport(v.width, v.height, chromedp.EmulateScale(2), chromedp.EmulateMobile)
	}
	return chromedp.EmulateViewport(v.width, v.height)
}

// colours are what the person prefers.
func (v visit) colours() chromedp.Action[chromedp.Void] {
	scheme := map[bool]string{false: "light", true: "dark"}[v.isDark]
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// listen keeps what the browser complains of: scripts that fail, and whatever the page's policy forbids.
func (p *page) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			p.problems = append(p.problems, e.Entry.Text)
		}
	}
}

// do runs actions that must work, and fails with a picture of what was there instead.
func (p *page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	p.doIn(p.tab, what, actions...)
}

func (p *page) doIn(tab context.Context, what string, actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	// The first actions of a tab start it, and it lives as long as their context.
	if chromedp.FromContext(tab).Target == nil {
		require.NoError(p, chromedp.Do(tab))
	}
	ctx, cancel := context.WithTimeout(tab, stepTime)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.shotOf(tab, "FAILED "+what)
		p.Fatalf("%s: %s: %v", p.visit.name, what, err)
	}
}

// inChat narrows an XPath to the person's column.
func (p *page) inChat(path string) string {
	column := fmt.Sprintf(`//section[@data-person="%d"]`, p.person)
	if inner, ok := strings.CutPrefix(path, "("); ok {
		return "(" + column + inner
	}
	return column + path
}

func (p *page) click(path string) {
	p.Helper()
	p.do("click "+path, chromedp.Click(path, chromedp.NodeVisible))
}

// sees waits for a message with the text; spaces of any kind are equal.
func (p *page) sees(text string) {
	p.Helper()
	p.do("see "+text, chromedp.WaitVisible(p.message(text)))
}

func (p *page) message(text string) string {
	return p.inChat(fmt.Sprintf(`//article[@data-testid="message"][contains(translate(normalize-space(.), "%s", " "), "%s")]`,
		"\u00a0\u202f", text))
}

// press presses the newest button that is called so, and waits for the text that answers it.
func (p *page) press(label, answer string) {
	p.Helper()
	p.click(p.inChat(fmt.Sprintf(`(//*[@data-testid="button"][contains(., "%s")])[last()]`, label)))
	p.sees(answer)
}

// types writes into the field below the chat and presses Send.
func (p *page) types(text string) {
	p.Helper()
	p.do("type "+text,
		chromedp.SendKeys(p.inChat(`//textarea[@data-testid="composer-input"]`), text, chromedp.NodeVisible),
		chromedp.Click(p.inChat(`//button[@data-testid="composer-send"]`), chromedp.NodeVisible))
}

// addPerson fills in the dialog, and finds out who it made.
func (p *page) addPerson(name, language string) {
	p.Helper()
	p.do("add a person",
		chromedp.Click(chromedp.CSS(`[data-testid="add-person"]`), chromedp.NodeVisible),
		chromedp.SendKeys(chromedp.CSS(`[data-testid="new-person-name"]`), name, chromedp.NodeVisible),
		chromedp.SetValue(chromedp.CSS(`[data-testid="new-person-language"]`), language),
	)
	p.shot("dialog")
	p.click(`//button[@data-testid="new-person-create"]`)
	path := fmt.Sprintf(`//section[.//header//b[text()="%s"]]`, name)
	p.do("wait for the column", chromedp.WaitVisible(path))
	id, err := chromedp.Run(p.tab, chromedp.AttributeValue(path, "data-person"))
	require.NoError(p, err)
	_, err = fmt.Sscan(id.Value, &p.person)
	require.NoError(p, err)
}

// payElsewhere follows the link to fake Crypto Pay into its tab, presses Pay there, and comes back.
func (p *page) payElsewhere(link string) {
	p.Helper()
	opened := chromedp.WaitNewTarget(p.tab, func(info *target.Info) bool { return strings.Contains(info.URL, "/pay/") })
	p.click(p.inChat(fmt.Sprintf(`(//a[@data-testid="button"][contains(., "%s")])[last()]`, link)))
	var id target.ID
	select {
	case id = <-opened:
	case <-time.After(stepTime):
		p.Fatal("the invoice opened no tab")
	}
	invoice, done := chromedp.NewContext(p.tab, chromedp.WithTargetID(id))
	defer done()
	p.doIn(invoice, "set the screen", p.screen())
	p.doIn(invoice, "see the invoice", chromedp.WaitVisible(chromedp.CSS(`[data-testid="pay"]`)))
	p.shotOf(invoice, "invoice")
	p.doIn(invoice, "pay", chromedp.Click(chromedp.CSS(`[data-testid="pay"]`)), chromedp.WaitVisible(chromedp.CSS(`[data-testid="paid"]`)))
	p.shotOf(invoice, "invoice paid")
}

// hasPicture waits until the picture of a message is there.
func (p *page) hasPicture(text string) {
	p.Helper()
	p.loaded(p.message(text) + `//img`)
}

func (p *page) hasEnlarged() {
	p.Helper()
	p.loaded(`//img[@id="picture-image"]`)
}

func (p *page) loaded(path string) {
	p.Helper()
	p.do("wait for "+path, chromedp.WaitVisible(path))
	p.eventually("the picture is loaded", func() error {
		width, err := chromedp.Run(p.tab, chromedp.JavascriptAttribute[int](path, "naturalWidth"))
		if err == nil && width == 0 {
			err = fmt.Errorf("nothing to see yet")
		}
		return err
	})
}

// key reads the key off the page.
func (p *page) key() string {
	p.Helper()
	key, err := chromedp.Run(p.tab, chromedp.TextContent(p.inChat(`(//article//code)[last()]`)))
	require.NoError(p, err)
	return key
}

// customer is the person of this page, for what the page does not show.
func (p *page) customer() *customer {
	p.Helper()
	people, err := p.people.People(p.ctx)
	require.NoError(p, err)
	for _, one := range people {
		if one.ID == p.person {
			return &customer{Person: one, ctx: p.ctx}
		}
	}
	p.Fatalf("nobody has number %d", p.person)
	return nil
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9]+`)

// sticksOut lists what does not fit on the screen.
const sticksOut = `[...document.querySelectorAll('.top > *, .controls button, .controls li, .chat.active .bubble, .chat.active .button, .chat.active .composer > *, dialog[open]')]
	.filter((one) => one.checkVisibility())
	.filter((one) => { const at = one.getBoundingClientRect(); return at.left < -1 || at.right > window.innerWidth + 1; })
	.map((one) => one.className + ': ' + one.textContent.slice(0, 40))`

// cutOff lists what is too long for its place where nothing may be.
const cutOff = `[...document.querySelectorAll('.chip, .controls .act, .controls .pill, .controls h2, .controls .reason, .who-link, .tab > span, dialog[open] *')]
	.filter((one) => one.checkVisibility() && !one.matches('.unread *, input, select, option') && one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline')
	.map((one) => one.className + ': ' + one.textContent.slice(0, 40))`

// shot takes a picture, and checks that nothing sticks out of the screen and that the browser had nothing to complain of.
func (p *page) shot(name string) {
	p.Helper()
	p.shotOf(p.tab, name)
	outside, err := chromedp.Run(p.tab, chromedp.Evaluate[[]string](sticksOut))
	require.NoError(p, err)
	require.Empty(p, outside, "%s: wider than the screen at %q", p.visit.name, name)
	cut, err := chromedp.Run(p.tab, chromedp.Evaluate[[]string](cutOff))
	require.NoError(p, err)
	require.Empty(p, cut, "%s: cut off at %q", p.visit.name, name)
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(p, p.problems, "%s: the browser complains at %q", p.visit.name, name)
}

func (p *page) shotOf(tab context.Context, name string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(tab, stepTime)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(p, err)
	file := fmt.Sprintf("%s-%02d-%s.png", p.visit.name, p.number, strings.ToLower(strings.Trim(notInNames.ReplaceAllString(name, "-"), "-")))
	p.number++
	require.NoError(p, os.WriteFile(filepath.Join(p.album.folder, file), picture, 0o644))
}
