// Package recipes checks the recipes with which Yocto and Buildroot build us, as far as that can
// be done without either: what they name exists, and each reads as what it is. Nothing imports it.
package recipes
