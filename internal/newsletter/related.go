package newsletter

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

// MaxRelated is the most related stories that can stand under an article.
const MaxRelated = 2

// RelatedBack is how old a related story can be.
const RelatedBack = 30 * 24 * time.Hour

// Which stories are taken for related: those that share some terms, and are alike enough.
const (
	relatedTerms = 2
	relatedAlike = 0.15 // the cosine of their weighed terms
	relatedPool  = 5000 // the newest of so many are looked at
)

// MayBeRelated reports whether a story that no edition ever gave to anybody can stand under
// another one as related: it was published within RelatedBack, is not held back, and is too old to
// be owed to whoever gets the edition, so that nobody gets it in full after they saw the link.
func MayBeRelated(c Candidate, asOf time.Time) bool {
	switch {
	case !c.WithdrawnAt.IsZero(), c.Hold != "", c.Published.After(asOf), c.newsTime().Before(asOf.Add(-RelatedBack)):
		return false
	}
	return c.Baseline || c.OwedFrom.Before(asOf.Add(-LookBack))
}

// RelatedStories returns for each article the stories of the pool that are most like it, the most
// alike first, and of those that are nearly so the newest: at most so many for each, and none twice. Terms of the headline count twice as much
// as those of the summary, and rare ones more than those that many stories have.
func RelatedStories(language string, articles, pool []Candidate, most int) map[int64][]Candidate {
	if most <= 0 || len(articles) == 0 || len(pool) == 0 {
		return nil
	}
	slices.SortStableFunc(pool, func(a, b Candidate) int { return b.newsTime().Compare(a.newsTime()) })
	pool = pool[:min(len(pool), relatedPool)]
	x := newTermIndex(language, pool)
	type pair struct {
		article int64
		story   int
		alike   float64
	}
	var pairs []pair
	for _, a := range articles {
		for story, alike := range x.like(a) {
			if pool[story].ID != a.ID && !strings.EqualFold(pool[story].Headline, a.Headline) {
				pairs = append(pairs, pair{a.ID, story, alike})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(math.Round(100*b.alike), math.Round(100*a.alike)), cmp.Compare(a.article, b.article), cmp.Compare(a.story, b.story))
	})
	related, used := map[int64][]Candidate{}, map[int]bool{}
	for _, p := range pairs {
		if !used[p.story] && len(related[p.article]) < most {
			used[p.story] = true
			related[p.article] = append(related[p.article], pool[p.story])
		}
	}
	return related
}

// termIndex says which stories have which terms.
type termIndex struct {
	stop    map[string]bool
	stories map[string][]int // by term
	terms   []map[string]float64
	all     float64
}

func newTermIndex(language string, pool []Candidate) *termIndex {
	x := &termIndex{stop: stopWords(language), stories: map[string][]int{}, all: float64(len(pool))}
	for i, c := range pool {
		x.terms = append(x.terms, x.termsOf(c))
		for term := range x.terms[i] {
			x.stories[term] = append(x.stories[term], i)
		}
	}
	return x
}

// rare is how much a term weighs: the fewer stories have it, the more.
func (x *termIndex) rare(term string) float64 {
	return math.Log(1 + (x.all+1)/float64(len(x.stories[term])+1))
}

// like returns how much alike the stories are to the article, those that are enough.
func (x *termIndex) like(a Candidate) map[int]float64 {
	own := x.termsOf(a)
	shared, product := map[int]int{}, map[int]float64{}
	for _, term := range sortedTerms(own) { // in order: sums of floats depend on it
		weight := x.rare(term)
		for _, story := range x.stories[term] {
			shared[story]++
			product[story] += own[term] * x.terms[story][term] * weight * weight
		}
	}
	length := x.length(own)
	for story := range product {
		if product[story] /= length * x.length(x.terms[story]); shared[story] < relatedTerms || product[story] < relatedAlike {
			delete(product, story)
		}
	}
	return product
}

func (x *termIndex) length(terms map[string]float64) float64 {
	sum := 0.0
	for _, term := range sortedTerms(terms) {
		weight := terms[term] * x.rare(term)
		sum += weight * weight
	}
	return math.Sqrt(sum)
}

func sortedTerms(terms map[string]float64) []string {
	list := make([]string, 0, len(terms))
	for term := range terms {
		list = append(list, term)
	}
	slices.Sort(list)
	return list
}

// termsOf returns the terms of a story, and how much each counts in it.
func (x *termIndex) termsOf(c Candidate) map[string]float64 {
	terms := map[string]float64{}
	add := func(text string, counts float64) {
		for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }) {
			if len([]rune(word)) > 2 && !x.stop[word] {
				terms[word] = max(terms[word], counts)
			}
		}
	}
	add(c.Headline, 2)
	add(c.Summary, 1)
	return terms
}

// stopWords returns words that say nothing of what a story is about, in the language and in
// English. Those of one or two letters are never terms.
func stopWords(language string) map[string]bool {
	base, _, _ := strings.Cut(strings.ToLower(language), "-")
	words := map[string]bool{}
	for word := range strings.FieldsSeq(stopWordsEnglish + " " + stopWordsOf[base]) {
		words[word] = true
	}
	return words
}

const stopWordsEnglish = `about after again all also and any are back because been before being between both but can could
	day days did does down during each even every few first for from get gets had has have her here him his how into its
	just last less like made make many may more most much must new news next not now off old one only other our out over
	own people per said same say says see she should since some still such than that the their them then there these they
	this those three through time today too two under until very want was way week well were what when where which while
	who why will with would year years yet you your`

var stopWordsOf = map[string]string{
	"de": `aber alle allem allen aller alles als also auch auf aus bei beim bin bis bisher da damit dann das dass dem den
		denn der des dessen die dies diese diesem diesen dieser dieses doch dort drei durch ein eine einem einen einer eines
		erst erste ersten etwa fast für gegen geht gibt haben hat hatte hier ihr ihre ihrem ihren ihrer immer ist jahr jahre
		jahren jede jeder jetzt kann kein keine können mal man mehr mit muss nach neue neuen neuer neues nicht nichts noch nun
		nur oder ohne schon sehr seit sein seine seinem seinen seiner sich sie sind soll sollen sowie über uhr und uns unter
		vom von vor war waren was wegen weil weiter wenn wer werden wie wieder will wird wir wurde wurden zum zur zwei zwischen`,
	"fr": `afin ainsi alors après ans aussi autre autres aux avait avant avec avoir bien ces cet cette ceux chaque chez comme
		contre dans depuis des deux dit dont elle elles encore entre est été être fait faire font ici ils jour jours leur leurs
		lors mais même moins non nos notre nous nouveau nouvelle ont par parce pas pendant peu peut plus pour pourquoi premier
		première quand que quel quelle qui sans sera ses soit son sont sous sur tous tout toute toutes très trois une vers veut
		voici vos votre vous`,
	"es": `ahora algo algunos ante antes años aquí así aunque cada como con contra cual cuando dar del desde después día días
		donde dos durante ella ellas ellos entre era eran esa ese eso esta está están estar este esto estos fue fueron gran
		hace hacen hacer han hasta hay hoy las les los más menos mientras mismo mucho muy nada nos nuestra nuestro nueva nuevo
		nuevos otra otras otro otros para pero poco por porque primer primera puede pueden que qué quien según ser será sido
		sin sobre solo son sus también tan tiene tienen toda todas todo todos tras tres una unas uno unos vez`,
	"cy": `achos allan am ambell arall ar bod bob bydd byddai cael can ceir chi cyn dal dan dau dim dros drwy dwy ddim eich
		ein eraill ers eto fel fod gan gyda gwneud hefyd heb hon hwn hyd hyn iawn ichi iddi iddo lle llawer mae maen mai mewn
		mwy newydd nid nôl nos oedd oes ond pan pawb pob rhai rhwng rydym roedd sef sut sydd tair tan tri trwy un wedi wrth
		yma yna ymlaen`,
}
