package demo

import "time"

// articlesOfTheWeek are the stories of yesterday and before.
func articlesOfTheWeek() []*article {
	return []*article{
		{
			ID: 1403, Age: 21 * time.Hour,
			Slug:       "tills-kept-going-when-network-fell",
			Headline:   "The network fell for six hours. These tills kept going",
			Standfirst: "A storm cut off 90 shops on the east coast. Those of Hobbin & Vale traded through it, thanks to a decision that looked old-fashioned.",
			Author:     "Imogen Fairlamb",
			Categories: []string{"Payments", "Stores"},
			Motif:      "storm", Palette: "night",
			Alt:     "Drawing of a storm cloud with lightning above roofs whose windows are lit",
			Caption: "The lights stayed on in Saltwick, and so did the card readers.",
			Body: []string{
				"At twenty to two on Tuesday a storm took down the main line that connects the coast to everything else. In most shops from Saltwick to Merrow Point the card readers went dark with it. At Hobbin & Vale the queue hardly noticed.",
				"Each of its shops keeps a full copy of prices, offers and members on a small computer in the back office, and its tills talk to that and not to a distant data centre. Card payments up to £50 are accepted and sent on once there is a line again. It is how shops worked twenty years ago, with better batteries.",
				"“Every consultant we have had in told us to take it out,” said Leopold Ferris, the chain's head of technology. “It is the dearest box in the shop on every day except the day you need it.” Of 11,400 payments that were taken offline, nine were refused afterwards.",
				"The regulator has asked the grocers on the coast how long they can trade when they are cut off. It expects answers by March.",
			},
		},
		{
			ID: 1401, Age: 26 * time.Hour,
			Slug:       "tamsin-orrell-joins-larkholme",
			Headline:   "Tamsin Orrell leaves the depot for the boardroom at Larkholme",
			Standfirst: "The department store picks a technology chief who began by driving a forklift, and who wants every engineer to spend a day on the shop floor.",
			Author:     "Agnes Thorburn",
			Categories: []string{"People"},
			Motif:      "crowd", Palette: "marigold",
			Alt:     "Drawing of three rows of people in green, plum and orange coats",
			Caption: "Larkholme has 6,200 colleagues; 240 of them write software.",
			Body: []string{
				"Larkholme has named Tamsin Orrell as its first chief technology officer. She joins from Quillfeather, where she spent fourteen years, the first two of them on a forklift and the last five in charge of everything with a plug.",
				"Her first act will be a rota. All 240 engineers are to work one day each quarter in a shop, in the stockroom or at the returns desk. “I have never had a good idea about a queue while I was sitting down,” she said.",
				"She takes over a website that is admired and a stock system that is not. Larkholme still counts its shoes by hand on the last Sunday of each month, and Ms Orrell says that the Sunday in January will be the last one.",
			},
		},
		{
			ID: 1399, Age: 30*time.Hour + 20*time.Minute,
			Slug:       "canal-boats-carry-the-night-load",
			Headline:   "Canal boats carry the night load for Brackenhall",
			Standfirst: "An electric barge takes eleven hours for a trip that a lorry makes in two. For tins, rice and washing powder that is quick enough.",
			Author:     "Rosalind Meakin",
			Categories: []string{"Supply Chain"},
			Motif:      "boat", Palette: "night",
			Alt:     "Drawing of a cargo boat on a canal at night, under a crescent moon",
			Caption: "The Patient Margaret leaves at seven each evening and is unloaded before the shops open.",
			Body: []string{
				"The Patient Margaret is 21 metres long, makes four miles an hour and carries as much as two lorries. Since September she has brought the slow goods of Brackenhall, a discount grocer, from its depot in Lowther Basin to the edge of the city.",
				"The planning is newer than the canal. Software by Pellwick Logistics sorts each day's orders by how long they can wait. About a third can wait a night: tins, rice, paper, washing powder. They go by water, and what is fresh goes by road.",
				"Brackenhall reckons that it saves 70 lorry trips a week. Delays are rare and of an unusual kind. In October a swan held up breakfast cereals for nearly an hour.",
			},
		},
		{
			ID: 1396, Age: 45 * time.Hour,
			Slug:       "forecasts-better-waste-the-same",
			Headline:   "Forecasts got better. Waste did not fall as far",
			Standfirst: "Grocers can now tell what they will sell tomorrow to within four per cent. The bins say that knowing is only half of it.",
			Author:     "Callum Obuya",
			Categories: []string{"Analysis", "AI & Data"},
			Motif:      "columns", Palette: "sand",
			Alt:     "Drawing of rounded columns in orange and green with a rising yellow line",
			Caption: "More is known about tomorrow every year. Not all of it reaches the order sheet.",
			Body: []string{
				"In three years the typical error of a next-day forecast for fresh food has fallen from nine per cent to four, according to figures from five grocers that share them with us each quarter. Over the same time waste has come down by only an eighth.",
				"Part of the reason is the size of a case. A shop that will sell seven lettuces must still order twelve. Part is the clock: orders close at noon at most chains, before the lunch trade that would have corrected them.",
				"Brackenhall has moved its deadline to four in the afternoon and lets shops split a case with a neighbour. Its waste is down by a third, with the same forecast as before.",
				"None of this shows up in a demonstration. A better number is only worth something if somebody is allowed to act on it.",
			},
		},
		{
			ID: 1392, Age: 53 * time.Hour,
			Slug:       "cash-returns-to-self-checkout",
			Headline:   "Cash comes back to the self-checkout, and queues get shorter",
			Standfirst: "Brackenhall put coin slots back into half of its machines. Shoppers who pay by card turned out to gain the most.",
			Author:     "Imogen Fairlamb",
			Categories: []string{"Payments"},
			Motif:      "coins", Palette: "mint",
			Alt:     "Drawing of five stacks of coins of different height and one coin in the air",
			Caption: "One basket in seven is still paid for in cash.",
			Body: []string{
				"When Brackenhall took cash out of its self-checkouts four years ago, the people who pay with it went to the staffed tills. There they stood in front of everybody with a full trolley. Now the coin slots are back in half of the machines, and the longest queue in the shop is a minute and a half shorter.",
				"The new slots count coins by weight and sound, and need to be emptied once a day and not three times. They are made by Gantry Oak, a small firm that used to build parking meters.",
				"“We looked at the cost of taking cash and forgot the cost of not taking it,” said Winifred Soames, the finance director. She expects the machines to have paid for themselves within two years.",
			},
		},
		{
			ID: 1388, Age: 76 * time.Hour,
			Slug:       "village-shop-open-all-night",
			Headline:   "The village shop that is open all night, with nobody in it until seven",
			Standfirst: "In Nether Wick members let themselves in with a card. A year on there has been one theft, of a pork pie, and an apology.",
			Author:     "Agnes Thorburn",
			Categories: []string{"Stores", "People"},
			Motif:      "awning", Palette: "coral",
			Alt:     "Drawing of a small shop with a striped awning and a full window",
			Caption: "The bell above the door still rings, but at night there is nobody to hear it.",
			Body: []string{
				"The shop in Nether Wick used to close at half past five, which suited nobody who works. It now closes never. From seven in the morning until four there is a shopkeeper; after that the 412 members let themselves in, scan what they take and pay by phone or card.",
				"Two in five sales are made when the shop is empty, most of them between five and eight in the evening. Nurses on their way home are the best customers, said Gwendolyn Tapp, who has run the place for 22 years and has, she points out, not lost an hour of her own work.",
				"The door, the scanners and the lights were put in for less than the price of a used van. There are cameras at the door and at the till and none in between.",
				"In twelve months one thing has gone missing. The pork pie was paid for the next day, with a note.",
			},
		},
	}
}
