// Command fetch gets a page through a vless:// link and prints it: the shortest proof that a key carries traffic.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"time"

	"atlas-secure/vpnnode/internal/link"
	"atlas-secure/vpnnode/internal/xrayclient"
)

func main() {
	timeout := flag.Duration("timeout", 20*time.Second, "give up after this long")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: fetch [-timeout 20s] <vless link> <url>")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	err := fetch(ctx, flag.Arg(0), flag.Arg(1), os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

// fetch fails on every status but 2xx, so that a caller can rely on the exit code.
func fetch(ctx context.Context, linkText, url string, out io.Writer) (err error) {
	parsed, err := link.Parse(linkText)
	if err != nil {
		return err
	}
	client, err := xrayclient.New(ctx, parsed, netip.Addr{})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := client.Close(); err == nil {
			err = closeErr
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.HTTP().Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("answer %s", response.Status)
	}
	_, err = io.Copy(out, response.Body)
	return err
}
