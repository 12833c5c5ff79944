# Geiriau sefydlog y negeseuon yn Gymraeg.

weekdays: Dydd Sul, Dydd Llun, Dydd Mawrth, Dydd Mercher, Dydd Iau, Dydd Gwener, Dydd Sadwrn
months: Ionawr, Chwefror, Mawrth, Ebrill, Mai, Mehefin, Gorffennaf, Awst, Medi, Hydref, Tachwedd, Rhagfyr
date: {weekday} {day} {month} {year}

more_news: Rhagor o newyddion
by: Gan {author}
why: Rydych yn cael y neges hon am eich bod wedi tanysgrifio i {newsletter}.
manage: Newid eich dewisiadau
unsubscribe: Dad-danysgrifio
forwarded: A gafodd y neges hon ei hanfon ymlaen atoch?
sign_up: Tanysgrifio i {newsletter}
privacy: Polisi preifatrwydd
advertisement: Hysbyseb
paid_by: Talwyd gan {sponsor}
visit: Rhagor gan {sponsor}
earlier: Yn gynharach yr wythnos hon
corrections: Cywiriadau
more_on_site: A rhagor o straeon ar ein gwefan
more_on_site_one: Ac un stori arall ar ein gwefan
more_on_site_two: A dwy stori arall ar ein gwefan
more_on_site_few: A thair stori arall ar ein gwefan
more_on_site_many: A chwe stori arall ar ein gwefan
more_on_site_other: A {n} stori arall ar ein gwefan
label: {words}:
view_in_browser: Gweld yn y porwr
related: Darllenwch hefyd
withdrawn: Tynnwyd y stori hon yn ôl ar {day} {month} {year} am {time}.

cadence_daily: bob dydd
cadence_weekly: bob wythnos
cadence_immediate: wrth ei chyhoeddi

confirm_subject: Cadarnhewch, os gwelwch yn dda: {newsletters}
confirm_preheader: Un cam arall, a bydd y negeseuon yn dod i {address}.
confirm_title: Cadarnhewch, os gwelwch yn dda
confirm_asked: Mae rhywun wedi gofyn i ni anfon y canlynol i {address}:
confirm_do: Os chi oedd hynny, cadarnhewch ar ein tudalen:
confirm_button: Cadarnhau a thanysgrifio
confirm_copy: Os nad yw’r botwm yn gweithio, copïwch y cyfeiriad hwn i’ch porwr:
confirm_valid: Bydd y ddolen yn gweithio unwaith, o fewn {days} diwrnod.
confirm_else: Os nad chi oedd hynny, anwybyddwch y neges hon: ni fydd dim yn cael ei anfon.

already_subject: Rydych yn cael hyn yn barod: {newsletters}
already_preheader: Does dim wedi newid. Yma gallwch ddewis pa mor aml y daw, ei oedi neu adael.
already_title: Rydych yn cael hyn yn barod
already_asked: Mae rhywun wedi gofyn i ni anfon y canlynol i {address}, lle mae’n cael ei anfon yn barod:
already_do: Does dim wedi newid. I ddewis pa mor aml y daw, ei oedi neu adael, agorwch eich tudalen.
already_button: Newid eich dewisiadau
already_copy: Os nad yw’r botwm yn gweithio, copïwch y cyfeiriad hwn i’ch porwr:
already_else: Os nad chi oedd hynny, anwybyddwch y neges hon: does dim wedi newid.

list_and: {list} a {last}
consent_any: Rwyf am gael y cylchlythyrau a ddewisaf drwy e-bost.
consent: Rwyf am gael {newsletters} drwy e-bost.
consent_from: Rwyf am gael {newsletters} gan {senders} drwy e-bost.
consent_use: Dim ond at hyn y defnyddir fy nghyfeiriad, a gallaf ddad-danysgrifio unrhyw bryd drwy’r ddolen ym mhob neges.
consent_privacy: Rhagor am sut y caiff fy nata ei drin

notice_copy: Os nad yw’r botwm yn gweithio, copïwch y cyfeiriad hwn i’ch porwr:
link_subject: Y ddolen i’ch tudalen: {sender}
link_preheader: Am {minutes} munud mae’n agor popeth.
link_title: Agorwch eich tudalen
link_say: Mae rhywun wedi gofyn i ni am ddolen i dudalen {address}. Yno gallwch ddewis beth rydych yn ei gael, newid eich enw a’ch iaith, gweld popeth rydym yn ei gadw amdanoch, neu ofyn i ni ei ddileu.
link_button: Agor eich tudalen
link_valid: Am {minutes} munud mae’r ddolen yn agor popeth. Wedyn bydd yn agor dim ond yr hyn rydych yn ei gael, a gall y dudalen anfon un arall atoch.
link_else: Os nad chi oedd hynny, anwybyddwch y neges hon: does dim wedi newid. Peidiwch â’i hanfon ymlaen.
address_subject: Cadarnhewch eich cyfeiriad newydd, os gwelwch yn dda: {sender}
address_preheader: Un cam arall, a bydd eich negeseuon yn dod i {address}.
address_title: Cadarnhewch eich cyfeiriad newydd, os gwelwch yn dda
address_say: Mae rhywun sy’n cael negeseuon gan {sender} wedi gofyn i ni eu hanfon i {address} o hyn ymlaen. Os chi oedd hynny, cadarnhewch ar ein tudalen:
address_button: Defnyddio’r cyfeiriad hwn
address_valid: Bydd y ddolen yn gweithio unwaith, o fewn {hours} awr.
address_else: Os nad chi oedd hynny, anwybyddwch y neges hon: ni fydd dim yn cael ei anfon.
taken_subject: Mae gan y cyfeiriad hwn ei danysgrifiadau ei hun: {sender}
taken_preheader: Does dim wedi newid.
taken_title: Mae gan y cyfeiriad hwn ei danysgrifiadau ei hun
taken_say: Mae rhywun sy’n cael negeseuon gan {sender} wedi gofyn i ni eu hanfon i {address} o hyn ymlaen. Mae gan y cyfeiriad hwn, neu bu ganddo, ei danysgrifiadau ei hun, felly does dim wedi newid: nid ydym yn uno dau danysgrifiwr.
taken_button: Newid eich dewisiadau
taken_valid: I gael popeth yma, dewiswch hynny ar y dudalen hon, a gadewch yn y cyfeiriad arall.
taken_else: Os nad chi oedd hynny, anwybyddwch y neges hon: does dim wedi newid.
moved_subject: Mae’ch negeseuon yn mynd i gyfeiriad arall nawr: {sender}
moved_preheader: I {address} roeddent yn dod hyd yma.
moved_title: Mae’ch negeseuon yn mynd i gyfeiriad arall nawr
moved_say: Mae’r hyn oedd yn dod gan {sender} i {address} yn mynd i {other} o hyn ymlaen. Gofynnodd rhywun am hynny â dolen a anfonwyd gennym i’r cyfeiriad hwn, a’i gadarnhau yn yr un newydd.
moved_button: Dadwneud y newid
moved_valid: Gallwch ei ddadwneud am {days} diwrnod.
moved_else: Os chi oedd hynny, does dim angen gwneud dim.

welcome_subject: Croeso i {newsletter}
welcome_preheader: Mae eich cofrestriad wedi’i gadarnhau.
welcome_say: Diolch, mae eich cofrestriad wedi’i gadarnhau. Isod mae’r dolenni i newid yr hyn a gewch, i’w oedi ac i adael.
welcome_first: Eich rhifyn cyntaf: {date}, {time}.
welcome_first_open: Daw eich rhifyn cyntaf cyn gynted ag y bydd yn barod.
welcome_edition: Darllen y rhifyn diweddaraf yn llawn
welcome_stories: Penawdau’r rhifyn diweddaraf
