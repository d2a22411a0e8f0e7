package verbs

// chinese is every text of ours in Chinese, by what it is in English.
var chinese = map[string]string{
	"link      %s\n": "线路    %s\n",
}
