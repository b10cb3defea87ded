package harness

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go/log"
)

const (
	engineLimit = 3 * time.Second
	pullLimit   = 3 * time.Minute
)

// prepareContainers finds an engine and an image, and sets what testcontainers needs on this machine. It
// asks the engine itself, because testcontainers reads its settings once, when it is first used. onLoopback
// tells whether ports published on the engine's 127.0.0.1 can be reached from here.
func prepareContainers(ctx context.Context, images []string) (image string, onLoopback bool, err error) {
	if !only("containers") {
		return "", false, errNotWanted
	}
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return "", false, fmt.Errorf("no engine: %w", err)
	}
	defer func() { _ = engine.Close() }()
	ctx, cancel := context.WithTimeout(ctx, pullLimit)
	defer cancel()
	if err := answers(ctx, engine); err != nil {
		return "", false, fmt.Errorf("no engine answers: %w", err)
	}
	if image, err = findImage(ctx, engine, images); err != nil {
		return "", false, err
	}
	log.SetDefault(log.NewNoopLogger())
	isSocket := strings.HasPrefix(engine.DaemonHost(), "unix://")
	return image, isSocket && (!looksLikeContainer() || engineIsHere()), setWhereNeeded(ctx, engine, image)
}

func answers(ctx context.Context, engine *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, engineLimit)
	defer cancel()
	_, err := engine.Ping(ctx, client.PingOptions{})
	return err
}

// findImage looks for the images on this machine, then for the last one in its registry.
func findImage(ctx context.Context, engine *client.Client, images []string) (string, error) {
	for _, image := range images {
		if _, err := engine.ImageInspect(ctx, image); err == nil {
			return image, nil
		}
	}
	official := images[len(images)-1]
	if err := pull(ctx, engine, official); err != nil {
		return "", fmt.Errorf("no image here (`make images` makes them) and none from a registry: %w", err)
	}
	return official, nil
}

func pull(ctx context.Context, engine *client.Client, image string) error {
	progress, err := engine.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("pull %s: %w", image, err)
	}
	if err := progress.Wait(ctx); err != nil {
		return fmt.Errorf("pull %s: %w", image, err)
	}
	return nil
}

// setWhereNeeded switches off the reaper where its image cannot be had, and names the host where
// testcontainers would take this machine for a container and dial its gateway. Other machines keep
// their defaults, and what is set already stays.
func setWhereNeeded(ctx context.Context, engine *client.Client, image string) error {
	settings := []struct {
		name, value string
		isNeeded    func() bool
	}{
		{"TESTCONTAINERS_RYUK_DISABLED", "true", func() bool { return isOurs(image) && !hasReaper(ctx, engine) }},
		{"TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1", func() bool { return looksLikeContainer() && engineIsHere() }},
	}
	for _, s := range settings {
		if _, isSet := os.LookupEnv(s.name); isSet || !s.isNeeded() {
			continue
		}
		if err := os.Setenv(s.name, s.value); err != nil {
			return fmt.Errorf("set %s: %w", s.name, err)
		}
	}
	return nil
}

// isOurs tells whether `make images` made an image; then nobody expects a registry.
func isOurs(image string) bool { return strings.HasPrefix(image, "atlas-secure/") }

func hasReaper(ctx context.Context, engine *client.Client) bool {
	images, err := engine.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return false
	}
	return slices.ContainsFunc(images.Items, func(i image.Summary) bool {
		return slices.ContainsFunc(i.RepoTags, func(tag string) bool { return strings.HasPrefix(tag, "testcontainers/ryuk:") })
	})
}

func looksLikeContainer() bool {
	_, err := os.Stat("/.dockerenv")
	return err == nil
}

// engineIsHere tells whether the engine's process runs beside us, so that its published ports are on
// our own loopback.
func engineIsHere() bool {
	for _, path := range []string{"/run/docker.pid", "/var/run/docker.pid"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		comm, err := os.ReadFile("/proc/" + strings.TrimSpace(string(raw)) + "/comm")
		if err == nil && strings.TrimSpace(string(comm)) == "dockerd" {
			return true
		}
	}
	return false
}
