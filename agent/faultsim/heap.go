package faultsim

// happening is what kind of event it is.
type happening uint8

const (
	tillActs happening = iota + 1
	appTimeUp
	appLeaves
	answerTaken
	toBank
	toTerminal
	bankSpeaks
	lineRedial
	lineCut
	lineNever
	terminalWakes
	terminalStarts
	mishap
	personActs
)

// event is something that will happen. Events at the same instant happen in the order they were
// put on the heap.
type event struct {
	at   instant
	seq  uint64
	m    *Message
	tag  uint64 // whatever what needs to know whether it is still meant
	gen  uint32 // of the line it is under way on
	life uint32 // of the terminal
	what happening
	till uint8
	ok   bool
}

// heap is the order of what will happen.
type heap struct {
	events []event
	seq    uint64
}

func (h *heap) less(i, j int) bool {
	a, b := &h.events[i], &h.events[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (h *heap) push(e event) {
	h.seq++
	e.seq = h.seq
	h.events = append(h.events, e)
	for i := len(h.events) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			return
		}
		h.events[i], h.events[parent] = h.events[parent], h.events[i]
		i = parent
	}
}

func (h *heap) pop() event {
	first := h.events[0]
	last := len(h.events) - 1
	h.events[0] = h.events[last]
	h.events[last] = event{}
	h.events = h.events[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if child+1 < last && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			return first
		}
		h.events[i], h.events[child] = h.events[child], h.events[i]
		i = child
	}
}
