package verbs

// All lists the verbs in the order in which help shows them: looking first, then acting. The list
// is made anew by every call.
func All() []*Verb {
	return []*Verb{
		statusVerb(), linkVerb(), openVerb(), stuckVerb(), showVerb(), whyVerb(), tailVerb(),
		topVerb(), doctorVerb(), readyVerb(), supportVerb(),
		replayVerb(), holdVerb(), releaseVerb(), resolveVerb(), evidenceVerb(),
	}
}
