package main

import "math/rand/v2"

// unit is the smallest thing that a power cut keeps or loses: a sector of a write that was not
// synced, or one operation on a name or a size.
type unit struct {
	op       int // of those pending
	from, to int // of its data; to 0: all of it, a name or a size
}

func unitsOf(pending []op) []unit {
	var us []unit
	for i := range pending {
		o := &pending[i]
		if o.Kind != opWrite {
			us = append(us, unit{op: i})
			continue
		}
		for at := 0; at < len(o.Data); {
			end := min(len(o.Data), at+sectorBytes-int((o.Off+int64(at))%sectorBytes))
			us = append(us, unit{op: i, from: at, to: end})
			at = end
		}
	}
	return us
}

// fate is what became of a unit.
type fate byte

const (
	lost fate = iota
	kept
	noise // the sector was being written: neither old nor new
)

// suffer does to the image what is left of pending.
func (m *image) suffer(pending []op, us []unit, fates []fate, random *rand.Rand) {
	for i, u := range us {
		o := &pending[u.op]
		switch {
		case fates[i] == lost:
		case u.to == 0:
			m.apply(o)
		case fates[i] == kept:
			m.put(o.File, o.Off+int64(u.from), o.Data[u.from:u.to])
		default:
			b := make([]byte, u.to-u.from)
			for j := range b {
				b[j] = byte(random.Uint32())
			}
			m.put(o.File, o.Off+int64(u.from), b)
		}
	}
}

const (
	// allOf is up to how many units every subset is tried: a meta page of bbolt has eight sectors.
	allOf = 9
	// cutsMax is how many places of an interval are cut in order, and how many single units are
	// lost or kept: long intervals are file creations, mostly zeros.
	cutsMax = 96
)

// ways calls yield with the fates of one interval between two syncs, until it says false. Few
// units: all subsets. Many: in order and in reverse order up to any place, all but one operation,
// one alone, all but one sector, one alone, and random subsets of any density. Then, with noise,
// sectors that were being written hold neither old nor new.
func ways(
	pending []op, us []unit, chance int, random *rand.Rand, yield func(string, []fate) bool,
) bool {
	fates := make([]fate, len(us))
	if len(us) <= allOf {
		for subset := range 1 << len(us) {
			for i := range fates {
				fates[i] = fate(subset >> i & 1)
			}
			if !yield("every subset", fates) {
				return false
			}
		}
	} else if !inOrder(fates, yield) || !oneOperation(pending, us, fates, yield) ||
		!oneSector(fates, yield) || !anySubset(fates, chance, random, yield) {
		return false
	}
	for range chance/2 + 4 {
		for i := range fates {
			fates[i] = fate(random.Uint32N(3))
			if us[i].to == 0 {
				fates[i] = min(fates[i], kept)
			}
		}
		if !yield("garbage", fates) {
			return false
		}
	}
	return true
}

func fill(fates []fate, f fate) {
	for i := range fates {
		fates[i] = f
	}
}

func inOrder(fates []fate, yield func(string, []fate) bool) bool {
	step := max(1, len(fates)/cutsMax)
	for n := 0; n <= len(fates); n += step {
		fill(fates[:n], kept)
		fill(fates[n:], lost)
		if !yield("torn in order", fates) {
			return false
		}
		fill(fates[:n], lost)
		fill(fates[n:], kept)
		if !yield("torn in reverse", fates) {
			return false
		}
	}
	return true
}

func oneOperation(pending []op, us []unit, fates []fate, yield func(string, []fate) bool) bool {
	step := max(1, len(pending)/cutsMax)
	for n := 0; n < len(pending); n += step {
		for _, alone := range []bool{false, true} {
			for i, u := range us {
				fates[i] = lost
				if (u.op == n) == alone {
					fates[i] = kept
				}
			}
			if !yield("one write lost or alone", fates) {
				return false
			}
		}
	}
	return true
}

func oneSector(fates []fate, yield func(string, []fate) bool) bool {
	step := max(1, len(fates)/cutsMax)
	for n := 0; n < len(fates); n += step {
		for _, f := range []fate{lost, kept} {
			fill(fates, kept-f)
			fates[n] = f
			if !yield("one sector lost or alone", fates) {
				return false
			}
		}
	}
	return true
}

func anySubset(
	fates []fate, chance int, random *rand.Rand, yield func(string, []fate) bool,
) bool {
	for range chance {
		share := random.Uint32N(101)
		for i := range fates {
			fates[i] = lost
			if random.Uint32N(100) < share {
				fates[i] = kept
			}
		}
		if !yield("random subset", fates) {
			return false
		}
	}
	return true
}
