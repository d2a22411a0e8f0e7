package verbs

// shellTexts are what the shell words around the verbs: its own help is in English and Chinese too.
var shellTexts = []string{
	"a failed sale leaves no debit",
	"who says so; it goes on file",
	"print JSON for programs",
	"en or zh; else LC_ALL, LC_MESSAGES or LANG decides",
	"see reversald --help",
	"start it with reversald run, or name its socket with --socket",
	"ask as the user that reversald runs as",
	"reversald tail shows the numbers of payments, reversald stuck those stuck",
	"colours: auto, always or never (NO_COLOR and CLICOLOR_FORCE count too)",
}

// ShellTexts lists the texts of the shell, for the test that none lacks a language.
func ShellTexts() []string { return shellTexts }
