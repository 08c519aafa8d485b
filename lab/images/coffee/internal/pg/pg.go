// Package pg opens the shop's database: a bounded pool, and a schema that is there when it returns.
package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"cloudlet.lab/coffee/internal/rpc"
)

// startPatience is how long a starting service waits for its database before it exits.
const startPatience = 10 * time.Second

// Open connects with PG_URL, or PG_DSN_URL where that is missing, and runs the statements of the
// schema, which must bear being run again. No error holds the password.
func Open(ctx context.Context, connections int32, schema string) (*pgxpool.Pool, error) {
	config, err := settings()
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	config.MaxConnIdleTime = time.Minute
	config.HealthCheckPeriod = 15 * time.Second
	config.ConnConfig.ConnectTimeout = 3 * time.Second
	config.ConnConfig.DialFunc = rpc.Dialer().DialContext
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(startPatience)
	for {
		err := migrate(ctx, pool, schema)
		if err == nil {
			return pool, nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			pool.Close()
			server := config.ConnConfig
			return nil, fmt.Errorf("no database at %s:%d after %s, is the service postgres up? %w",
				server.Host, server.Port, startPatience, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func settings() (*pgxpool.Config, error) {
	for _, name := range []string{"PG_URL", "PG_DSN_URL"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		config, err := pgxpool.ParseConfig(value)
		if err != nil {
			// The parser's own words may quote the URL, and with it the password.
			return nil, fmt.Errorf("%s is not a valid address of a database: "+
				"postgres://USER:PASSWORD@HOST:5432/DATABASE, special characters percent-encoded", name)
		}
		return config, nil
	}
	return nil, errors.New("PG_URL is not set: give postgres://USER:PASSWORD@HOST:5432/DATABASE")
}

// migrate lets one of several starting replicas at the schema at a time.
func migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	limit, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return pgx.BeginFunc(limit, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(limit, "SELECT pg_advisory_xact_lock(7102)"); err != nil {
			return err
		}
		_, err := tx.Exec(limit, schema)
		return err
	})
}
