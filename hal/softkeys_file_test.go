package hal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reversald/hal"
)

// The file is refused unless it is ours alone, and complaints about it tell no keys.
func TestOpenSoftKeys(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "keys.json")
	if err := os.WriteFile(good, []byte(keyFile), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[uint32]error{
		0o600: nil, 0o400: nil,
		0o640: hal.ErrKeyFile, 0o604: hal.ErrKeyFile, 0o620: hal.ErrKeyFile, 0o611: hal.ErrKeyFile,
	} {
		if err := os.Chmod(good, os.FileMode(mode)); err != nil {
			t.Fatal(err)
		}
		if _, err := hal.OpenSoftKeys(good); !errors.Is(err, want) {
			t.Errorf("mode %o: %v, want %v", mode, err, want)
		}
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, bytes.Repeat([]byte(" "), 64<<10+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{dir, big} {
		if _, err := hal.OpenSoftKeys(file); !errors.Is(err, hal.ErrKeyFile) {
			t.Errorf("%s: %v, want ErrKeyFile", file, err)
		}
	}
	if _, err := hal.OpenSoftKeys(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNotExist", err)
	}
}

func TestParseSoftKeysRefuses(t *testing.T) {
	const value = "5e5e5e5e5e5e5e5e"
	for name, text := range map[string]string{
		"nothing":        ``,
		"no JSON":        `keys: ` + value,
		"unknown key":    `{"keys": {"a": {"cipher": "des", "value": "` + value + `", "x": 1}}}`,
		"rubbish after":  `{"keys": {"a": {"cipher": "des", "value": "` + value + `"}}} x`,
		"no cipher":      `{"keys": {"a": {"value": "` + value + `"}}}`,
		"unknown cipher": `{"keys": {"a": {"cipher": "rc4", "value": "` + value + `"}}}`,
		"short":          `{"keys": {"a": {"cipher": "aes", "value": "` + value + `"}}}`,
		"no value":       `{"keys": {"a": {"cipher": "des"}}}`,
		"a number":       `{"keys": {"a": {"cipher": "des", "value": 5050505050505050}}}`,
		"not hex":        `{"keys": {"a": {"cipher": "des", "value": "` + value + `zz"}}}`,
		"half a byte":    `{"keys": {"a": {"cipher": "des", "value": "` + value + `5"}}}`,
		"not text":       `{"keys": {"a": {"cipher": "des", "value": ["` + value + `"]}}}`,
		"a bad name":     `{"keys": {"A b": {"cipher": "des", "value": "` + value + `"}}}`,
	} {
		s, err := hal.ParseSoftKeys([]byte(text))
		if s != nil || !errors.Is(err, hal.ErrKeyFile) {
			t.Errorf("%s: %v, want ErrKeyFile", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "5e5e") || strings.Contains(err.Error(), "5050")) {
			t.Errorf("%s: the error tells the key: %v", name, err)
		}
	}
}
