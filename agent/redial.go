package agent

// Redial hangs up the host's line and dials again at once: the way to the host has changed.
func (a *Agent) Redial() {
	a.line.Drop()
	a.line.Kick()
}
