package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"drydock.dev/drydock/conversion"
	"drydock.dev/drydock/settings"
)

// storageMigration is what `drydock-controller migrate-storage` is told.
type storageMigration struct {
	config // kubeconfig, log
	settle time.Duration
}

// settings binds every setting to its flag, its environment variable and its help.
func (m *storageMigration) settings(set *flag.FlagSet) []settings.Setting {
	set.StringVar(&m.kubeconfig, "kubeconfig", "", "")
	set.DurationVar(&m.settle, "settle", 10*time.Second, "")
	set.IntVar(&m.workers, "workers", 8, "")
	set.TextVar(&m.logLevel, "log-level", slog.LevelInfo, "")
	return []settings.Setting{
		{Flag: "kubeconfig", Env: "KUBECONFIG", Help: "kubeconfig file; default: the pod's service account"},
		{Flag: "settle", Env: "DRYDOCK_MIGRATE_SETTLE", Help: "waits first until every API server has heard of the new storage version"},
		{Flag: "workers", Env: "DRYDOCK_WORKERS", Help: "how many objects are rewritten at once"},
		{Flag: "log-level", Env: "DRYDOCK_LOG_LEVEL", Help: "debug, info, warn or error"},
	}
}

func (m *storageMigration) validate() error {
	switch {
	case m.settle < 0:
		return settings.Wrong("settle", "is less than 0s: %s", m.settle)
	case m.workers < 1:
		return settings.Wrong("workers", "is less than 1: %d", m.workers)
	}
	return m.findKubernetes()
}

// migrateStorage rewrites stored objects in their definitions' storage versions: 0 when all
// are, 1 when it failed and is to be run again, 2 for a wrong setting.
func migrateStorage(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	m := &storageMigration{}
	err := settings.Read(settings.Program{
		Name:  "drydock-controller migrate-storage",
		About: "Rewrites every stored Image and Build in the storage version of its definition.",
		Bind:  m.settings, Validate: m.validate,
	}, args, getenv, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "drydock-controller migrate-storage:", err)
		return 2
	}
	log := m.logger(stderr)
	if err := conversion.Migrate(ctx, conversion.MigrateOptions{Config: m.kube, Settle: m.settle, Workers: m.workers, Log: log}); err != nil {
		log.Error("the migration is not complete: run it again", "error", err)
		return 1
	}
	return 0
}
