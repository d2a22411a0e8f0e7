package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// bodyBytesMax holds the longest message of any profile in hexadecimal, and everything beside it.
const bodyBytesMax = 32 << 10

// depthMax is how deep a body may nest: an object with an object of fields in it.
const depthMax = 2

// readBody reads a JSON body into a struct: UTF-8, no key twice, no key unknown, nothing behind it.
// What is wrong is told without quoting a value, which may be a card's. Where empty is allowed, no
// body leaves the struct as it is.
func readBody(w http.ResponseWriter, r *http.Request, empty bool, into any) *Problem {
	if r.ContentLength > bodyBytesMax {
		// One byte over a limit of none makes the server hang up with care, and read no more.
		_, _ = http.MaxBytesReader(w, r.Body, 0).Read(make([]byte, 1))
		return tooLarge()
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge()
	case err != nil:
		w.Header().Set("Connection", "close")
		return badRequest("", "the body ends too early, or came too slowly")
	case len(data) == 0 && empty:
		return nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return trouble(typeMediaType, http.StatusUnsupportedMediaType,
			"send the body with Content-Type: application/json")
	}
	return strict(data, into)
}

func tooLarge() *Problem {
	return trouble(typeTooLarge, http.StatusRequestEntityTooLarge,
		fmt.Sprintf("a body has at most %d bytes", bodyBytesMax))
}

// strict reads one JSON object into a struct.
func strict(data []byte, into any) *Problem {
	if !utf8.Valid(data) {
		return badRequest("", "the body is not UTF-8")
	}
	if problem := shape(data); problem != nil {
		return problem
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	err := in.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return badRequest(wrong.Field, fmt.Sprintf("%s is wanted here", kindOf(wrong)))
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return badRequest(plainName(strings.Trim(name, `"`)), "there is no such field"+
			quoted(strings.Trim(name, `"`)))
	}
	return badRequest("", "the body can not be read")
}

// kindOf says what kind of value was wanted.
func kindOf(e *json.UnmarshalTypeError) string {
	switch kind := e.Type.Kind().String(); {
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "a whole number that fits"
	case kind == "string":
		return "a text"
	case kind == "bool":
		return "true or false"
	}
	return "an object"
}

// plainName is a field's name where it looks like one: whoever writes a card number where a name
// belongs does not get it back.
func plainName(name string) string {
	const nameMax = 32
	for _, c := range name {
		if (c < 'a' || c > 'z') && c != '_' && c != '.' {
			return ""
		}
	}
	if len(name) > nameMax {
		return ""
	}
	return name
}

func quoted(name string) string {
	if name = plainName(name); name == "" {
		return ""
	}
	return ": " + name
}

// shape walks a body once: one object, not too deep, with no key twice.
func shape(data []byte) *Problem {
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	var keys []map[string]bool // of the objects we are in; nil for an array
	wantKey := false
	for {
		token, err := in.Token()
		if err != nil {
			return badRequest("", fmt.Sprintf("the body is not JSON from its byte %d on",
				in.InputOffset()+1))
		}
		if open, ok := token.(json.Delim); ok && (open == '{' || open == '[') {
			if len(keys) == 0 && open != '{' {
				return badRequest("", "the body is not an object")
			}
			if len(keys) == depthMax {
				return badRequest("", "the body nests too deep")
			}
			var names map[string]bool
			if open == '{' {
				names = map[string]bool{}
			}
			keys = append(keys, names)
			wantKey = open == '{'
			continue
		}
		if len(keys) == 0 {
			return badRequest("", "the body is not an object")
		}
		names := keys[len(keys)-1]
		switch _, closes := token.(json.Delim); {
		case closes:
			keys = keys[:len(keys)-1]
			if len(keys) == 0 {
				return ending(in)
			}
			names = keys[len(keys)-1]
		case names != nil && wantKey:
			name, _ := token.(string)
			lower := strings.ToLower(name)
			if names[lower] {
				return badRequest(plainName(name), "the same key is there twice"+quoted(name))
			}
			names[lower] = true
			wantKey = false
			continue
		}
		wantKey = names != nil
	}
}

// ending: nothing comes behind the object.
func ending(in *json.Decoder) *Problem {
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return badRequest("", "something comes behind the object")
	}
	return nil
}
