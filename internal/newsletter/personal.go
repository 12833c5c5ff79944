package newsletter

// The places in a rendered message that are filled for each reader. They look like links,
// so that a template can put them where a link goes, on a source line of its own; package
// mail replaces them when the message is handed over. Text from feeds and staff never
// contains them: see StripPlaces.
const (
	PlaceUnsubscribe = "https://personal.invalid/unsubscribe"
	PlaceManage      = "https://personal.invalid/manage"
)

// placeHost is the host name of every place.
const placeHost = "personal.invalid"

// StripPlaces removes from a stranger's text whatever could be taken for a place.
func StripPlaces(s string) string {
	for {
		i := indexFold(s, placeHost)
		if i < 0 {
			return s
		}
		s = s[:i] + s[i+len(placeHost):]
	}
}

// indexFold is strings.Index without regard to ASCII case.
func indexFold(s, lower string) int {
	for i := 0; i+len(lower) <= len(s); i++ {
		j := 0
		for j < len(lower) && (s[i+j] == lower[j] || 'A' <= s[i+j] && s[i+j] <= 'Z' && s[i+j]+'a'-'A' == lower[j]) {
			j++
		}
		if j == len(lower) {
			return i
		}
	}
	return -1
}
