package demo

// preparedArticles wait for Publish, in this order.
func preparedArticles() []*article {
	return []*article{
		{
			ID: 1413, Slug: "three-rivals-agree-on-one-parcel-label",
			Headline:   "Exclusive: Three rivals agree on one parcel label",
			Standfirst: "Larkholme, Marrowby and Quillfeather will print the same code on every box, so that any of their shops can take any return.",
			Author:     "Rosalind Meakin",
			Categories: []string{"Supply Chain"},
			Motif:      "cubes", Palette: "night",
			Alt:     "Drawing of parcels in blue, orange and yellow, stacked to a tower",
			Caption: "Whose parcel is it? From June, that will not matter at the counter.",
			Body: []string{
				"Three retailers that agree on little else will share a parcel label from June. A box that was sent by Larkholme can then be handed in at any shop of Marrowby or Quillfeather, and the refund starts when it is scanned.",
				"The label itself is dull, which was the aim. It holds a number and nothing about the buyer. Each company looks up its own numbers, and the others see only where a box must go.",
				"“We spent two years on the word ‘return’,” said Ottoline Beck, who led the talks for Larkholme. “The code was done in an afternoon.” Smaller shops may join for a fee of £40 a year.",
			},
		},
		{
			ID: 1414, Slug: "vans-that-plan-their-own-detours",
			Headline:   "Delivery vans that plan their own detours save an hour a day",
			Standfirst: "Drivers at Hobbin & Vale may overrule the route. The software has begun to learn from them when they do.",
			Author:     "Callum Obuya",
			Categories: []string{"AI & Data", "Supply Chain"},
			Motif:      "route", Palette: "mint",
			Alt:     "Drawing of a town seen from above, with one route and four pins",
			Caption: "School gates, market days and one very narrow bridge: drivers knew, and now the map does.",
			Body: []string{
				"For years the route computer at Hobbin & Vale told its drivers where to go, and for years they went another way. Now the computer asks why. A driver who leaves the route is offered four reasons and can answer with one tap.",
				"After 30,000 answers the map knows which street fills up when school is out and on which days the market blocks the square. Rounds that used to take nine hours take eight.",
				"The company has put in writing that the answers will not be used to judge anybody. Nine drivers in ten give them.",
			},
		},
		{
			ID: 1415, Slug: "weather-is-not-the-forecast",
			Headline:   "The first warm day of the year is worth more than the hottest one",
			Standfirst: "Wrenfold Data has gone through eleven summers of ice cream, charcoal and sandals, and says that shops look at the wrong number.",
			Author:     "Desmond Pargeter",
			Categories: []string{"Analysis", "AI & Data"},
			Motif:      "hills", Palette: "plum",
			Alt:     "Drawing of an orange sun above purple hills with a line of white markers",
			Caption: "It is the change that sells, not the temperature.",
			Body: []string{
				"Seventeen degrees in April sells more ice cream than twenty-eight in August. That is the short form of a study by Wrenfold Data, which compared eleven years of sales in 600 shops with the weather outside their doors.",
				"What counts, the authors say, is how different a day is from the ten before it. People do not feel a temperature; they feel a change. A model that knows this makes a fifth fewer mistakes in spring and is no better than the others in July.",
				"Two grocers have begun to use it. The charcoal, one of them reports, is in the window a week earlier.",
			},
		},
	}
}
