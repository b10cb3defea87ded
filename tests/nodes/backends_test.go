package nodes

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/config"
	"atlas-secure/internal/sandbox/remnawave"
	"atlas-secure/internal/vpn"
	"atlas-secure/internal/vpn/xrayapi"
)

const (
	apiKey = "a key that only tests know"
	squad  = "b1f2c3d4-0000-4000-8000-000000000001"
	soon   = 2 * time.Minute
)

// backend is one kind of node, running.
type backend struct {
	vpn.Named

	address string // as in VPN_NODES
	forgets bool   // its users do not survive a restart
	limits  bool   // it keeps the limit of devices
	stop    func() // as a kill does
	start   func() // again, at the same address
	users   func() []string
	broken  string // an address of it that nobody can work with: a wrong key, or an inbound that is not there
}

// kinds are all backends, by name.
var kinds = map[string]func(t *testing.T, name string) *backend{
	"node": startNode, "xray": startXray, "remnawave": startPanel,
}

func open(t *testing.T, addresses ...string) []vpn.Named {
	t.Helper()
	cfg := &config.Config{VPNNodes: config.NewSecret(strings.Join(addresses, "\n"))}
	nodes, err := cfg.Nodes()
	require.NoError(t, err)
	opened, err := vpn.Open(nodes)
	require.NoError(t, err)
	for _, node := range opened {
		t.Cleanup(node.Close)
	}
	return opened
}

// process runs a program of the module that can be killed and started again. ready is told the first line that it prints.
func process(t *testing.T, program string, args, env []string, ready func(line string)) (stop, start func()) {
	t.Helper()
	var command *exec.Cmd
	var input io.WriteCloser
	stop = func() {
		if command != nil {
			_ = command.Process.Kill()
			_ = command.Wait()
			_ = input.Close()
			command = nil
		}
	}
	start = func() {
		require.Nil(t, command)
		command = exec.Command(filepath.Join(programs, program), args...)
		command.Env = append(os.Environ(), env...)
		command.Stderr = io.Discard
		var err error
		input, err = command.StdinPipe()
		require.NoError(t, err)
		output, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		if ready != nil {
			line, err := bufio.NewReader(output).ReadString('\n')
			require.NoError(t, err, "%s has nothing to say", program)
			ready(line)
		}
	}
	t.Cleanup(stop)
	start()
	return stop, start
}

// freeAddress is a port of loopback that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func awaitHealth(t *testing.T, node vpn.Node) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := node.Health(t.Context())
		return err == nil
	}, soon, 50*time.Millisecond)
}

func startNode(t *testing.T, name string) *backend {
	t.Helper()
	api, state := freeAddress(t), t.TempDir()
	b := &backend{forgets: true, limits: true, address: nodeAddress("node+http", name, apiKey, api),
		broken: nodeAddress("node+http", name, "a key that is another one", api)}
	b.Named = open(t, b.address)[0]
	stop, start := process(t, "vpnnode", nil, []string{
		"VPNNODE_API_KEY=" + apiKey, "VPNNODE_LISTEN=" + api, "VPNNODE_XRAY_LISTEN=127.0.0.1:0", "VPNNODE_STATE_DIR=" + state,
		"VPNNODE_ALLOW_LOOPBACK=true",
	}, nil)
	b.stop, b.start = stop, func() { start() }
	b.users = func() []string {
		request, err := http.NewRequest(http.MethodGet, "http://"+api+"/users", http.NoBody)
		require.NoError(t, err)
		request.Header.Set("X-API-Key", apiKey)
		var list []struct {
			UUID string `json:"uuid"`
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
		uuids := []string{}
		for _, user := range list {
			uuids = append(uuids, user.UUID)
		}
		return uuids
	}
	awaitHealth(t, b)
	return b
}

func nodeAddress(scheme, name, key, host string) string {
	return (&url.URL{Scheme: scheme, User: url.UserPassword(name, key), Host: host}).String()
}

// operator is a user of the Xray core who is none of ours.
const operator = "0b5a3c9e-7f1d-4a52-9d3e-5f7c1e2d3a4b"

func startXray(t *testing.T, name string) *backend {
	t.Helper()
	api := freeAddress(t)
	b := &backend{forgets: true}
	stop, start := process(t, "barecore", []string{"-api", api, "-operator", operator}, nil, func(line string) {
		var core struct {
			Inbound   string `json:"inbound"`
			Host      string `json:"host"`
			Port      int    `json:"port"`
			PublicKey string `json:"public_key"`
			ShortID   string `json:"short_id"`
			Name      string `json:"server_name"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &core))
		address := func(inbound string) string {
			query := url.Values{"host": {core.Host}, "port": {fmt.Sprint(core.Port)}, "sni": {core.Name}, "pbk": {core.PublicKey},
				"sid": {core.ShortID}}
			return (&url.URL{Scheme: "xray", User: url.User(name), Host: api, Path: inbound, RawQuery: query.Encode()}).String()
		}
		b.address, b.broken = address(core.Inbound), address("another")
	})
	b.Named = open(t, b.address)[0]
	b.stop, b.start = stop, func() { start() }
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	core := connect.NewClient[xrayapi.GetInboundUserRequest, xrayapi.GetInboundUserResponse](&http.Client{Transport: transport},
		"http://"+api+"/xray.app.proxyman.command.HandlerService/GetInboundUsers", connect.WithGRPC())
	b.users = func() []string {
		answer, err := core.CallUnary(t.Context(), connect.NewRequest(&xrayapi.GetInboundUserRequest{Tag: "vless-in"}))
		require.NoError(t, err)
		uuids := []string{}
		for _, user := range answer.Msg.GetUsers() {
			if user.GetEmail() != "operator" {
				uuids = append(uuids, user.GetEmail())
			}
		}
		require.Len(t, answer.Msg.GetUsers(), len(uuids)+1, "the operator's own user stays")
		return uuids
	}
	awaitHealth(t, b)
	return b
}

// panels are the fakes behind the backends of the kind remnawave.
type panelServer struct {
	*remnawave.Panel

	address string
	server  *http.Server
	done    chan struct{}
}

func (p *panelServer) start(t *testing.T) {
	t.Helper()
	var listener net.Listener
	require.Eventually(t, func() (isListening bool) {
		var err error
		listener, err = net.Listen("tcp", p.address)
		return err == nil
	}, soon, 50*time.Millisecond)
	p.address = listener.Addr().String()
	p.server, p.done = &http.Server{Handler: p.Panel}, make(chan struct{})
	go func() {
		defer close(p.done)
		_ = p.server.Serve(listener)
	}()
}

func (p *panelServer) stop() {
	_ = p.server.Close()
	<-p.done
}

func startPanel(t *testing.T, name string) *backend {
	t.Helper()
	p := &panelServer{Panel: remnawave.New(apiKey), address: "127.0.0.1:0"}
	p.start(t)
	t.Cleanup(func() { p.stop() })
	b := &backend{limits: true, stop: p.stop, start: func() { p.start(t) },
		address: nodeAddress("remnawave+http", name, apiKey, p.address) + "?squad=" + squad,
		broken:  nodeAddress("remnawave+http", name, "another", p.address) + "?squad=" + squad}
	b.Named = open(t, b.address)[0]
	b.users = func() []string {
		uuids := []string{}
		for _, user := range p.Users() {
			uuids = append(uuids, user.VlessUUID)
		}
		return uuids
	}
	return b
}
