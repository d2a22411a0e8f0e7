package agent

import (
	"errors"
	"fmt"
	"net"
	"regexp"
)

// who is how the configuration names users and groups: by their numbers, as the kernel does.
var who = regexp.MustCompile(`^((uid|gid):[0-9]{1,9}|any)$`)

// apiFaults are those of the API's settings taken together.
func (c Config) apiFaults(add func(err error, keys ...string)) {
	for _, list := range []struct {
		key   string
		peers []string
	}{
		{"api_operators", c.APIOperators},
		{"api_viewers", c.APIViewers},
		{"api_apps", c.APIApps},
	} {
		for _, peer := range list.peers {
			if !who.MatchString(peer) {
				add(fmt.Errorf("%q is not uid:N, gid:N or any", peer), list.key)
			}
		}
	}
	if c.APIListen == "" {
		return
	}
	if err := checkAddress(c.APIListen, 0); err != nil {
		add(err, "api_listen")
		return
	}
	host, _, _ := net.SplitHostPort(c.APIListen)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		add(fmt.Errorf("%q is not on loopback; card numbers do not cross a network here",
			c.APIListen), "api_listen")
	}
	if c.APIToken == "" {
		add(errors.New("is given, and api_token is not"), "api_listen", "api_token")
	}
}
