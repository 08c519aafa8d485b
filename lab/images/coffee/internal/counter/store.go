package counter

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"cloudlet.lab/coffee/internal/broker"
	"cloudlet.lab/coffee/internal/menu"
)

// The tables of go-coffeeshop, and `dispatched`: false until the broker has confirmed a message for
// every item. The orders themselves are the outbox.
const schema = `CREATE SCHEMA IF NOT EXISTS "order";
CREATE TABLE IF NOT EXISTS "order".orders (
    id uuid PRIMARY KEY,
    order_source integer NOT NULL,
    loyalty_member_id uuid NOT NULL,
    order_status integer NOT NULL,
    location integer NOT NULL DEFAULT 0,
    created timestamptz NOT NULL DEFAULT now(),
    updated timestamptz,
    dispatched boolean NOT NULL DEFAULT false
);
CREATE INDEX IF NOT EXISTS orders_to_dispatch ON "order".orders (id) WHERE NOT dispatched;
CREATE TABLE IF NOT EXISTS "order".line_items (
    id uuid PRIMARY KEY,
    item_type integer NOT NULL,
    name text NOT NULL,
    price numeric NOT NULL,
    item_status integer NOT NULL,
    is_barista_order boolean NOT NULL,
    order_id uuid NOT NULL REFERENCES "order".orders (id),
    created timestamptz NOT NULL DEFAULT now(),
    updated timestamptz
);
CREATE INDEX IF NOT EXISTS line_items_order ON "order".line_items (order_id, id);`

// Store is the shop's book of orders in PostgreSQL.
type Store struct{ pool *pgxpool.Pool }

const insertOrder = `WITH placed AS (
    INSERT INTO "order".orders (id, order_source, loyalty_member_id, order_status, location)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING RETURNING id
)
INSERT INTO "order".line_items (id, item_type, name, price, item_status, is_barista_order, order_id)
SELECT item.id, item.type, item.name, item.price, $4, item.barista, placed.id
FROM placed, unnest($6::uuid[], $7::int[], $8::text[], $9::float8[], $10::bool[])
    AS item (id, type, name, price, barista)`

// Place stores an order with its lines, in one step; an id that is there already changes nothing.
func (s *Store) Place(ctx context.Context, id, member uuid.UUID, order Order, lines []Line, prices map[int]float64) error {
	ids := make([]uuid.UUID, len(lines))
	types := make([]int32, len(lines))
	names := make([]string, len(lines))
	costs := make([]float64, len(lines))
	baristas := make([]bool, len(lines))
	for i, line := range lines {
		ids[i], types[i], names[i] = line.ID, int32(line.Type), menu.Name(line.Type)
		costs[i], baristas[i] = prices[line.Type], line.Barista
	}
	_, err := s.pool.Exec(ctx, insertOrder, id, order.OrderSource, member, inProcess, order.Location,
		ids, types, names, costs, baristas)
	return err
}

const toDispatch = `SELECT l.order_id::text, l.id::text, l.item_type, l.is_barista_order
FROM "order".line_items l WHERE l.order_id = ANY($1) AND l.item_status <> 2`

// Dispatch hands the messages of up to `most` waiting orders to send, and notes them as dispatched
// when it returns without an error. It returns how many orders that were.
func (s *Store) Dispatch(ctx context.Context, most int, send func(context.Context, []broker.Letter) error) (int, error) {
	limit, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	count := 0
	err := pgx.BeginFunc(limit, s.pool, func(tx pgx.Tx) error {
		// Locked rows are skipped: several counters share the work and none sends another's order.
		rows, err := tx.Query(limit, `SELECT id FROM "order".orders WHERE NOT dispatched
ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED`, most)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil || len(ids) == 0 {
			return err
		}
		rows, err = tx.Query(limit, toDispatch, ids)
		if err != nil {
			return err
		}
		letters, err := pgx.CollectRows(rows, letter)
		if err != nil {
			return err
		}
		if err := send(limit, letters); err != nil {
			return err
		}
		count = len(ids)
		_, err = tx.Exec(limit, `UPDATE "order".orders SET dispatched = true WHERE id = ANY($1)`, ids)
		return err
	})
	return count, err
}

func letter(row pgx.CollectableRow) (broker.Letter, error) {
	var job broker.Job
	var barista bool
	err := row.Scan(&job.OrderID, &job.ItemID, &job.Type, &barista)
	if barista {
		return broker.Letter{Queue: broker.ToBarista, Value: job}, err
	}
	return broker.Letter{Queue: broker.ToKitchen, Value: job}, err
}

// Redispatch puts every order that is not fulfilled back among those to dispatch.
func (s *Store) Redispatch(ctx context.Context) (int64, error) {
	tag, err := s.pool.Exec(ctx, `UPDATE "order".orders SET dispatched = false WHERE dispatched AND order_status <> 2`)
	return tag.RowsAffected(), err
}

// Fulfil notes items as made, and their orders as fulfilled once all their items are. The same
// items may come again.
func (s *Store) Fulfil(ctx context.Context, made []broker.Made) error {
	limit, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	orders := make([]string, len(made))
	items := make([]string, len(made))
	for i, one := range made {
		orders[i], items[i] = one.OrderID, one.ItemID
	}
	return pgx.BeginFunc(limit, s.pool, func(tx pgx.Tx) error {
		// Two counters may hold the last two items of one order: the lock lets the second see the
		// first one's work, and its order keeps them from waiting for each other.
		steps := &pgx.Batch{}
		steps.Queue(`SELECT 1 FROM "order".orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`, orders)
		steps.Queue(`UPDATE "order".line_items SET item_status = 2, updated = now()
WHERE id = ANY($1::uuid[]) AND item_status <> 2`, items)
		steps.Queue(`UPDATE "order".orders o SET order_status = 2, updated = now()
WHERE o.id = ANY($1::uuid[]) AND o.order_status <> 2
AND NOT EXISTS (SELECT 1 FROM "order".line_items l WHERE l.order_id = o.id AND l.item_status <> 2)`, orders)
		return tx.SendBatch(limit, steps).Close()
	})
}
