package result

import (
	_ "embed"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// The chart's measures, in pixels.
const (
	chartWidth  = 880
	chartHeight = 548

	plotLeft, plotRight = 56, 470
	plotTop, plotBottom = 148, 350
	barGap              = 2

	waysLeft, waysRight = 530, 850
	waysTop, waysStep   = 132, 70
	wayHeight           = 22

	tilesTop, tileWidth, tileHeight, tileStep = 398, 197, 100, 209
)

//go:embed chart.css
var chartStyle string

// bars are the figures that stand side by side for each number of clients.
var bars = []struct{ key, class, name string }{
	{"tpcb-%d", "reference", "pgbench's tpcb-like"},
	{"pay-%d", "ours", "purchase from balance"},
	{"open-pay-%d", "also", "opened and paid"},
}

// ways are the comparisons with separate statements.
var ways = []struct{ key, name string }{
	{"socket", "32 clients on the unix socket"},
	{"far", "8 clients, 1 ms of network"},
	{"far-one", "8 clients, 1 ms, all on one wallet"},
}

// drawing is an SVG in the making.
type drawing struct {
	strings.Builder
	result *Result
	err    error
}

// Chart draws the figures as SVG, for light and dark pages. The same figures give the same text.
func Chart(r *Result) (string, error) {
	d := &drawing{result: r}
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="t">`+"\n",
		chartWidth, chartHeight, chartWidth, chartHeight)
	fmt.Fprintf(d, "<title id=\"t\">%s</title>\n<style>\n%s</style>\n", "Purchases per second against pgbench and separate statements",
		chartStyle)
	fmt.Fprintf(d, `<rect class="page" x="0.5" y="0.5" width="%d" height="%d" rx="10"/>`+"\n", chartWidth-1, chartHeight-1)
	d.text(28, 40, "title", "start", "One purchase is one function call")
	d.text(28, 62, "muted", "start", fmt.Sprintf(
		"Ledger, subscription, key, receipt and cashback in one transaction. Medians of %d rounds; one server, one client program for all.",
		r.Load["rounds"]))
	d.perSecond()
	d.waysFaster()
	d.tiles()
	d.text(28, chartHeight-18, "muted", "start", d.footer())
	d.WriteString("</svg>\n")
	return d.String(), d.err
}

func (d *drawing) text(x, y float64, class, anchor, text string) {
	fmt.Fprintf(d, `<text class="%s" x="%s" y="%s" text-anchor="%s">%s</text>`+"\n", class, px(x), px(y), anchor, html.EscapeString(text))
}

func (d *drawing) bar(class string, x, y, width, height float64) {
	fmt.Fprintf(d, `<rect class="%s" x="%s" y="%s" width="%s" height="%s" rx="2"/>`+"\n", class, px(x), px(y), px(width), px(height))
}

func (d *drawing) line(x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<line class="grid" x1="%s" y1="%s" x2="%s" y2="%s"/>`+"\n", px(x1), px(y1), px(x2), px(y2))
}

// px writes a length with at most one decimal.
func px(n float64) string { return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) }

// rate is a figure's transactions per second.
func (d *drawing) rate(key string) float64 {
	f := d.result.Figure(key)
	if f == nil {
		d.err = fmt.Errorf("no figure %s to draw: all cases have to be measured", key)
		return 0
	}
	return f.Median.PerSecond
}

func (d *drawing) ratio(key string) float64 {
	for _, ratio := range d.result.Ratios {
		if ratio.Key == key {
			return ratio.Median
		}
	}
	d.err = fmt.Errorf("no ratio %s to draw: all cases have to be measured", key)
	return 0
}

// clientCounts are the numbers of clients that purchases were measured with.
func (d *drawing) clientCounts() []int {
	var counts []int
	for _, f := range d.result.Figures {
		if f.Case == "1" && strings.HasPrefix(f.Key, "pay-") {
			counts = append(counts, f.Clients)
		}
	}
	return counts
}

// perSecond draws bars for each number of clients.
func (d *drawing) perSecond() {
	d.text(28, 98, "heading", "start", "Transactions per second")
	for i, b := range bars {
		x := 28 + 162*float64(i)
		d.bar(b.class, x, 110, 11, 11)
		d.text(x+16, 120, "label", "start", b.name)
	}
	counts, top := d.clientCounts(), 0.0
	for _, n := range counts {
		for _, b := range bars {
			top = max(top, d.rate(fmt.Sprintf(b.key, n)))
		}
	}
	step := niceStep(top)
	scale := (plotBottom - plotTop) / (math.Ceil(top/step) * step)
	for value := 0.0; value <= math.Ceil(top/step)*step+0.5; value += step {
		y := plotBottom - value*scale
		d.line(plotLeft, y, plotRight, y)
		d.text(plotLeft-8, y+4, "axis", "end", thousands(value))
	}
	if len(counts) == 0 {
		return
	}
	group := float64(plotRight-plotLeft) / float64(len(counts))
	width := (group*0.8 - barGap*float64(len(bars)-1)) / float64(len(bars))
	for i, n := range counts {
		left := plotLeft + group*(float64(i)+0.1)
		for j, b := range bars {
			rate := d.rate(fmt.Sprintf(b.key, n))
			x := left + float64(j)*(width+barGap)
			d.bar(b.class, x, plotBottom-rate*scale, width, rate*scale)
			d.text(x+width/2, plotBottom-rate*scale-5, "value", "middle", short(rate))
		}
		name := fmt.Sprintf("%d clients", n)
		if n == 1 {
			name = "1 client"
		}
		d.text(left+group*0.4, plotBottom+18, "label", "middle", name)
	}
}

// waysFaster draws how many times faster one call is than the same work as separate statements.
func (d *drawing) waysFaster() {
	d.text(waysLeft, 98, "heading", "start", "Times as fast as ten statements")
	longest := 1.0
	for _, way := range ways {
		longest = max(longest, d.ratio(way.key))
	}
	scale := (waysRight - waysLeft - 50) / longest
	for i, way := range ways {
		y, times := float64(waysTop+i*waysStep), d.ratio(way.key)
		d.text(waysLeft, y, "label", "start", way.name)
		d.bar("reference", waysLeft, y+8, scale, wayHeight)
		d.bar("ours", waysLeft+scale+barGap, y+8, max(0, times-1)*scale, wayHeight)
		d.text(waysLeft+times*scale+10, y+24, "times", "start", fmt.Sprintf("%.1f×", times))
	}
	d.text(waysLeft, plotBottom+18, "muted", "start", "grey is 1: the same work as separate statements")
}

// tiles are the single figures.
func (d *drawing) tiles() {
	renewals := d.rate("renew")
	steady, pay := d.result.Figure("bot-steady"), d.result.Figure(fmt.Sprintf("pay-%d", 32))
	if steady == nil || pay == nil {
		d.err = fmt.Errorf("no figures bot-steady and pay-32 to draw: all cases have to be measured")
		return
	}
	for i, tile := range []struct{ big, small, line string }{
		{fmt.Sprintf("%.2f", d.ratio("hot-code")), "of the speed without a code", "when all use the same one"},
		{short(renewals) + "/s", "automatic renewals", "by one worker"},
		{fmt.Sprintf("%.0f µs", pay.Median.CPUMicros), "server CPU per purchase", fmt.Sprintf("and %s bytes of WAL",
			thousands(pay.Median.WALBytes))},
		{fmt.Sprintf("%.0f ms", steady.P50MS), "until the bot answers", fmt.Sprintf("at %.0f a second, p99 %.0f ms",
			steady.Median.PerSecond, steady.P99MS)},
	} {
		x := float64(28 + i*tileStep)
		fmt.Fprintf(d, `<rect class="tile" x="%s" y="%d" width="%d" height="%d" rx="6"/>`+"\n", px(x), tilesTop, tileWidth, tileHeight)
		d.text(x+14, tilesTop+32, "big", "start", tile.big)
		d.text(x+14, tilesTop+58, "label", "start", tile.small)
		d.text(x+14, tilesTop+80, "muted", "start", tile.line)
	}
}

func (d *drawing) footer() string {
	m := d.result.Machine
	version, _, _ := strings.Cut(d.result.Postgres, " ")
	safety := "commits flushed"
	if d.result.Settings["fsync"] != "on" || d.result.Settings["synchronous_commit"] == "off" {
		safety = "commits not flushed"
	}
	return fmt.Sprintf("PostgreSQL %s, %s; %d cores (%s), clients on the same cores; measured %s with make bench",
		version, safety, m.Cores, m.CPU, d.result.MeasuredAt.Format("2 January 2006"))
}

// niceStep is 1, 2 or 5 times a power of ten, so that three to seven steps reach the top.
func niceStep(top float64) float64 {
	if top <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(top)))
	for _, step := range []float64{0.2, 0.5, 1, 2} {
		if top/(step*power) <= 6 {
			return step * power
		}
	}
	return 2 * power
}

// thousands writes a number with spaces between the thousands.
func thousands(n float64) string {
	digits := strconv.FormatInt(int64(math.Round(n)), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u2009" + digits[i:]
	}
	return digits
}

// short writes 5432 as 5.4k.
func short(n float64) string {
	if n < 1000 {
		return strconv.FormatFloat(math.Round(n), 'f', -1, 64)
	}
	return strconv.FormatFloat(n/1000, 'f', 1, 64) + "k"
}
