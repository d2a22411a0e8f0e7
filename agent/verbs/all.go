package verbs

// All lists the verbs in the order in which help shows them: looking first, then acting. The list
// is made anew by every call.
func All() []*Verb {
	return []*Verb{
		statusVerb(), tailVerb(), showVerb(), stuckVerb(), replayVerb(),
	}
}
