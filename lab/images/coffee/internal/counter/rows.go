package counter

import (
	"context"
	"encoding/hex"
	"strconv"
)

// piece is about how many bytes of the list are handed on at once.
const piece = 64 << 10

// All emits the list of every order there is, oldest first, piece by piece, as the body of the
// answer. The pieces are the receiver's to keep.
func (s *Store) All(ctx context.Context, emit func([]byte) error) error {
	// Through the index of each table in turn: no large sort, whatever the number of orders.
	rows, err := s.pool.Query(ctx, `SELECT o.id, o.order_source, o.loyalty_member_id, o.order_status,
    o.location, l.id, l.item_type, l.name, l.price::float8, l.item_status, l.is_barista_order
FROM "order".orders o JOIN "order".line_items l ON l.order_id = o.id ORDER BY o.id, l.id`)
	if err != nil {
		return err
	}
	defer rows.Close()
	list := list{body: []byte(`{"orders":[`)}
	for rows.Next() {
		var row listRow
		if err := rows.Scan(&row.order, &row.source, &row.member, &row.status, &row.location, &row.item,
			&row.kind, &row.name, &row.price, &row.itemStatus, &row.barista); err != nil {
			return err
		}
		list.add(&row)
		if len(list.body) >= piece {
			if err := emit(list.body); err != nil {
				return err
			}
			list.body = make([]byte, 0, piece+piece/8)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return emit(list.end())
}

type listRow struct {
	order, member, item      [16]byte
	source, status, location int32
	kind, itemStatus         int32
	name                     string
	price                    float64
	barista                  bool
}

// list writes the answer row by row; `localtion` is the original's spelling.
type list struct {
	body []byte
	last [16]byte
	any  bool
}

func (l *list) add(row *listRow) {
	b := l.body
	switch {
	case !l.any:
		b = l.open(b, row)
	case row.order != l.last:
		b = append(b, `]},`...)
		b = l.open(b, row)
	default:
		b = append(b, ',')
	}
	b = id(append(b, `{"id":`...), row.item)
	b = strconv.AppendInt(append(b, `,"itemType":`...), int64(row.kind), 10)
	b = strconv.AppendQuote(append(b, `,"name":`...), row.name)
	b = strconv.AppendFloat(append(b, `,"price":`...), row.price, 'f', -1, 64)
	b = strconv.AppendInt(append(b, `,"itemStatus":`...), int64(row.itemStatus), 10)
	b = strconv.AppendBool(append(b, `,"isBaristaOrder":`...), row.barista)
	l.body = append(b, '}')
}

func (l *list) open(b []byte, row *listRow) []byte {
	l.last, l.any = row.order, true
	b = id(append(b, `{"id":`...), row.order)
	b = strconv.AppendInt(append(b, `,"orderSource":`...), int64(row.source), 10)
	b = id(append(b, `,"loyaltyMemberId":`...), row.member)
	b = strconv.AppendInt(append(b, `,"orderStatus":`...), int64(row.status), 10)
	b = strconv.AppendInt(append(b, `,"localtion":`...), int64(row.location), 10)
	return append(b, `,"lineItems":[`...)
}

func (l *list) end() []byte {
	if !l.any {
		return append(l.body, `]}`...)
	}
	return append(l.body, `]}]}`...)
}

func id(b []byte, value [16]byte) []byte {
	b = append(b, '"')
	for i, part := range [][]byte{value[:4], value[4:6], value[6:8], value[8:10], value[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return append(b, '"')
}
