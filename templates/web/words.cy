# Geiriau sefydlog y tudalennau yn Gymraeg.

# Around every page
skip: Neidio i’r cynnwys
newsletters: Cylchlythyrau
all_newsletters: Pob cylchlythyr
and: {list} a {last}

# After signing up
check_inbox: Edrychwch yn eich blwch derbyn
check_inbox_for: Un cam arall, a byddwch yn cael {newsletters}. Rydym yn anfon neges atoch; agorwch hi a dilynwch y ddolen.
check_inbox_step: Mae un cam ar ôl. Rydym yn anfon neges atoch; agorwch hi a dilynwch y ddolen.
from: Oddi wrth
subject: Pwnc
nothing_there: Dim byd yno?
nothing_wait: Gall gymryd ychydig funudau.
nothing_spam: Edrychwch yn y ffolder sbam neu hyrwyddiadau.
nothing_already: Ydych chi’n ei gael yn barod? Bydd y neges yn dweud hynny, a sut i’w newid.
nothing_slip: Efallai fod gwall yn y cyfeiriad.
try_again: Rhowch gynnig arall arni
nothing_write_to: Dim byd ar ôl awr? Efallai fod negeseuon atoch wedi dod yn ôl atom o’r blaen, neu wedi’u nodi fel rhai digroeso; wedyn rydym yn ysgrifennu unwaith mewn deg diwrnod ar hugain ar y mwyaf, neu ddim o gwbl. Ysgrifennwch at {address}, a byddwn yn ei ddatrys.
nothing_write: Dim byd ar ôl awr? Efallai fod negeseuon atoch wedi dod yn ôl atom o’r blaen, neu wedi’u nodi fel rhai digroeso; wedyn rydym yn ysgrifennu unwaith mewn deg diwrnod ar hugain ar y mwyaf, neu ddim o gwbl. Ysgrifennwch atom, a byddwn yn ei ddatrys.
