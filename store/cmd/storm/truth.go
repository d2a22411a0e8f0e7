package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"reversald/store"
)

// draftOf is what the writer writes under a number: the same in every life, so that whoever comes
// later knows what must stand there. Groups of eight entries are the stories of three payments, of
// which now and then one stays open for nine groups.
func draftOf(seed, seq uint64) store.Draft {
	const group, opensFor = 8, 9
	random := rand.New(rand.NewPCG(seed, seq))
	g, base := (seq-1)/group, (seq-1)/group*group+1
	d := store.Draft{Key: base, Kind: 1, Mark: store.MarkOpen}
	switch seq - base {
	case 0:
	case 1:
		d.Key = base + 1
	case 2:
		d.Kind, d.Mark = 2, store.MarkKeep
	case 3:
		d.Kind, d.Mark = 3, store.MarkClose
	case 4:
		d.Key, d.Kind, d.Mark = 0, 4, store.MarkKeep
		if g >= opensFor && g%3 == 0 {
			d.Key, d.Kind, d.Mark = base+1-opensFor*group, 3, store.MarkClose
		}
	case 5:
		d.Key = base + 5
	case 6:
		d.Key, d.Kind, d.Mark = base+1, 2, store.MarkKeep
		if g%3 != 0 {
			d.Kind, d.Mark = 3, store.MarkClose
		}
	case 7:
		d.Key, d.Kind, d.Mark = base+5, 3, store.MarkClose
	}
	size := 20 + random.IntN(300)
	if random.IntN(20) == 0 {
		size = store.PayloadBytesMax - random.IntN(500)
	}
	d.Payload = make([]byte, size)
	for i := range d.Payload {
		d.Payload[i] = 'a' + byte(random.UintN(26)) // nothing that could be a card number
	}
	if d.Mark == store.MarkOpen {
		d.Secret = fmt.Appendf(nil, "secret of %d", seq)
	}
	return d
}

// fact is what is known of an entry that the writer has tried to write.
type fact struct {
	key  uint64
	mark store.Mark
	sum  string
}

func sumOf(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:8])
}

// truth is what the marks in a log say, up to a point of it.
type truth struct {
	acked, tried uint64 // newest entries
	entries      map[uint64]fact
	forgets      bool // closed payments may be gone
}

func newTruth() *truth { return &truth{entries: map[uint64]fact{}} }

// tryLine is the mark that goes before an entry is written, ackLine the one that follows when
// everything up to an entry is durable.
func tryLine(seq, key uint64, mark store.Mark, payload []byte) string {
	return fmt.Sprintf("try %d %d %d %s\n", seq, key, mark, sumOf(payload))
}

func ackLine(last uint64) string { return fmt.Sprintf("ack %d\n", last) }

const forgetLine = "forget\n"

func (t *truth) hear(text []byte) error {
	for _, line := range strings.Split(string(bytes.TrimSpace(text)), "\n") {
		words := strings.Fields(line)
		numbers := make([]uint64, 4)
		for i := range min(len(words), 4) {
			if i > 0 {
				numbers[i], _ = strconv.ParseUint(words[i], 10, 64)
			}
		}
		switch {
		case len(words) == 5 && words[0] == "try":
			t.entries[numbers[1]] = fact{
				key: numbers[2], mark: store.Mark(numbers[3]), sum: words[4],
			}
			t.tried = max(t.tried, numbers[1])
		case len(words) == 2 && words[0] == "ack":
			t.acked = max(t.acked, numbers[1])
		case len(words) == 1 && words[0] == "forget":
			t.forgets = true
		default:
			return fmt.Errorf("the log has a mark %q", line)
		}
	}
	return nil
}

// open is which keys are open after entry last, ascending.
func (t *truth) open(last uint64) []uint64 {
	open := map[uint64]bool{}
	for seq := uint64(1); seq <= last; seq++ {
		switch f := t.entries[seq]; f.mark {
		case store.MarkOpen:
			open[f.key] = true
		case store.MarkClose:
			delete(open, f.key)
		case store.MarkKeep:
		}
	}
	return slices.Sorted(maps.Keys(open))
}

// hashOf tells states apart.
func hashOf(fates []fate) uint64 {
	h := fnv.New64a()
	for _, f := range fates {
		h.Write([]byte{byte(f)})
	}
	return h.Sum64()
}
