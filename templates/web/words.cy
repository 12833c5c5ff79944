# Geiriau sefydlog y tudalennau yn Gymraeg.

# Days and times
days: dydd Sul, dydd Llun, dydd Mawrth, dydd Mercher, dydd Iau, dydd Gwener, dydd Sadwrn
days_between: ddydd Sul, ddydd Llun, ddydd Mawrth, ddydd Mercher, ddydd Iau, ddydd Gwener, ddydd Sadwrn
days_each: bob dydd Sul, bob dydd Llun, bob dydd Mawrth, bob dydd Mercher, bob dydd Iau, bob dydd Gwener, bob dydd Sadwrn
days_range: o {first} i {last}
every_day: bob dydd
rule: {days} am {time}
rules: {rules}, {zone}
zone: amser {city}
or: {list} neu {last}
date_short: {weekday} {day} {month}
date_long: {weekday} {day} {month} {year}
due_today: heddiw am {time}, {zone}
due_tomorrow: yfory, {date}, am {time}, {zone}
due_on: {date} am {time}, {zone}
due_both: {when} ({time}, {zone})
minutes_one: {n} munud
minutes_other: {n} munud
hours_one: {n} awr
hours_other: {n} awr
immediate_any: pan fydd newyddion, un neges ar y mwyaf mewn {time}
immediate_any_hours: pan fydd newyddion rhwng {from} a {until}, {zone}, un neges ar y mwyaf mewn {time}
immediate_important: pan fydd newyddion pwysig, un neges ar y mwyaf mewn {time}
immediate_important_hours: pan fydd newyddion pwysig rhwng {from} a {until}, {zone}, un neges ar y mwyaf mewn {time}
everything: popeth

# Around every page
skip: Neidio i’r cynnwys
newsletters: Cylchlythyrau
all_newsletters: Pob cylchlythyr
and: {list} a {last}
language: Iaith
language_name: Cymraeg

# Signing up
check: Gwiriwch
newsletters_of: Cylchlythyrau {publisher}
home_title: Y newyddion yn eich blwch derbyn
home_lead: Dewiswch yr hyn yr hoffech ei ddarllen. Gallwch newid eich meddwl, neu adael, unrhyw bryd.
home_nothing: Dim byd i danysgrifio iddo eto
home_nothing_lead: Nid oes cylchlythyr yma ar hyn o bryd. Dewch yn ôl yn nes ymlaen.
more_about: Rhagor amdano
look_again_one: Edrychwch ar hyn eto
look_again_other: Edrychwch ar y rhain eto
email: Eich cyfeiriad e-bost
name: Eich enw
time_zone: Eich cylchfa amser
optional: (dewisol)
how_often: Pa mor aml
what_about: Am beth
what_about_hint: Gadewch y cyfan yn wag i gael popeth.
sign_up_button: Tanysgrifio
sign_up_once: Rydym yn anfon un neges atoch i sicrhau mai chi sydd yno. Dim ond ar ôl i chi gadarnhau y cewch y cylchlythyr.
leave_empty: Gadewch hwn yn wag
read_past: Darllen rhifynnau blaenorol
closed: Mae’r cylchlythyr hwn wedi cau: ni all neb danysgrifio, ac ni anfonir dim mwyach.
not_yet: Ni all neb danysgrifio i’r cylchlythyr hwn eto. Dewch yn ôl yn nes ymlaen: mae’r cyhoeddwr yn gwybod.
see_others: Gweld y cylchlythyrau eraill
sending: Yn anfon …
offline: Rydych all-lein. Ni anfonwyd dim; rhowch gynnig arall arni pan fyddwch ar-lein.
unreachable: Ni aeth hynny drwodd. Rhowch gynnig arall arni mewn eiliad.
busy: Mae llawer iawn yn tanysgrifio ar hyn o bryd. Un eiliad …
problem_email: Ni allwn ysgrifennu at y cyfeiriad e-bost hwn. Gwiriwch ef; mae’n edrych fel enw@example.org.
problem_name: Byrhewch eich enw neu teipiwch ef eto.
problem_newsletter: Dewiswch gylchlythyr.
problem_cadence: Dewiswch pa mor aml y dylai ddod.
problem_slot: Dewiswch pryd y dylai ddod.
problem_section: Dewiswch o blith y pynciau sydd ar gael.
problem_time_zone: Nid yw hwn yn enw cylchfa amser, megis Europe/London.
problem_until: Dewiswch ddiwrnod ar ôl heddiw, ac o fewn blwyddyn.

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

# The confirmation link
confirm_page: Cadarnhewch eich tanysgrifiad
confirm_question: Ai dyna rydych ei eisiau?
confirm_lead: Pwyswch y botwm, a bydd yn dod i {address}.
confirm_yes: Ie, tanysgrifiwch fi
confirm_not_you: Nid chi ofynnodd am hyn? Caewch y dudalen hon: ni anfonir dim.
expired_title: Mae’r ddolen hon yn rhy hen
expired_lead: Roedd yn gweithio am saith diwrnod. A ddylem anfon un newydd i {address}?
expired_button: Anfonwch ddolen newydd ataf
used_title: Defnyddiwyd y ddolen hon yn barod
used_lead: Mae’n gweithio unwaith. Nid yw ei hagor eto yn newid dim.
used_standing: Dyma’r sefyllfa i {address}:
used_active: Rydych yn ei gael.
used_paused: Mae ar saib.
used_left: Rydych wedi’i adael.
used_pending: Nid yw wedi’i gadarnhau.
sign_up_again: Tanysgrifio eto
used_every_mail: Mae dolen ym mhob neges gennym i newid yr hyn a gewch, neu i adael.
confirmed_title: Rydych i mewn
confirmed_lead: Diolch. Bydd yn dod i {address}.
confirmed_first: Daw eich rhifyn cyntaf {when}, os bydd newyddion erbyn hynny.
by_hand: Mae’r golygyddion yn ei anfon pan fydd newyddion; nid oes diwrnod penodol.
confirmed_contacts: I fod yn siŵr ei fod yn eich cyrraedd, ychwanegwch {address} at eich cysylltiadau.
manage_title: Newid yr hyn a gewch

# The unsubscribe link
leave_title: Dad-danysgrifio o {newsletter}?
leave_lead: Mae’n cael ei anfon i {address}. Un gwasgiad, ac mae’n stopio ar unwaith.
leave_silent: Nid oes dim yn cael ei anfon i {address} ar hyn o bryd. Un gwasgiad, a bydd yn aros felly i’r cylchlythyr hwn.
leave_button: Dad-danysgrifio
leave_too_many: Gormod o negeseuon?
leave_choose: Dewiswch pa mor aml y daw, ac am beth
leave_want: Ydych chi ei eisiau?
silent_sign_up: Tanysgrifiwch eto ac atebwch y neges sy’n gofyn i chi gadarnhau: yna daw eto.
left_title: Rydych wedi gadael {newsletter}
left_lead: Ni ddaw dim mwy ohono i {address}. Diolch am ei ddarllen.
left_mistake: Ai camgymeriad oedd hynny?
left_undo: Dadwneud: daliwch i’w anfon
back_title: Croeso’n ôl
back_lead: Mae {newsletter} yn dod i {address} eto, fel o’r blaen.
nobody_title: Nid oes dim yn cael ei anfon atoch
nobody_lead: Nid ydym bellach yn adnabod neb sy’n perthyn i’r ddolen hon, felly ni ddaw dim. Nid oes angen i chi wneud dim.
nobody_sign_up: Tanysgrifio i {newsletter}
forwarded_title: A gafodd ei anfon ymlaen atoch?
forwarded_lead: Mae’r dudalen hon yn perthyn i {address}. Os nad dyna’ch cyfeiriad, gadewch hi fel y mae a {link}.
forwarded_link: tanysgrifiwch eich hun
silent_write_to: Nid ydym yn ysgrifennu at y cyfeiriad hwn mwyach, ac ni allwn newid hynny o’r fan hon. Os ydych eisiau’r cylchlythyr, ysgrifennwch at {address}.
silent_write: Nid ydym yn ysgrifennu at y cyfeiriad hwn mwyach, ac ni allwn newid hynny o’r fan hon. Os ydych eisiau’r cylchlythyr, ysgrifennwch atom.

# The manage link
manage_lead: Mae’r cylchlythyrau hyn yn dod i {address}.
manage_silent: Dyma’r hyn a ddewisoch i {address}. {nothing}
manage_silent_now: Nid oes dim yn cael ei anfon i’r cyfeiriad hwn ar hyn o bryd.
manage_silent_why: Daeth negeseuon i’ch cyfeiriad yn ôl, neu gofynnwyd i ni beidio ag anfon rhai yno.
manage_next: Daw’r nesaf {when}, os bydd newyddion erbyn hynny.
manage_left: Rydych wedi gadael y cylchlythyr hwn.
manage_paused: Mae ar saib nes i chi ddod yn ôl.
manage_paused_until: Mae ar saib tan {until}. Wedyn bydd un rhifyn yn cynnwys y gorau o’r hyn a golloch.
pause: Ei roi ar saib
pause_all: Rhoi popeth ar saib
pause_hint: Ni anfonir dim yn y cyfamser. Wedyn bydd un rhifyn yn cynnwys y gorau o’r hyn a golloch.
pause_until: Diwrnod
pause_date: Tan y diwrnod isod
pause_week: Am wythnos
pause_month: Am fis
pause_open: Nes i mi ddod yn ôl
resume: Parhau nawr
done_changed: Wedi’i gadw. Bydd eich {newsletters} nesaf yn dilyn eich dewis.
done_changed_silent: Wedi’i gadw, at pan fydd {newsletters} yn cael ei anfon atoch eto.
done_paused: Ar saib nes i chi ddod yn ôl: {newsletters}.
done_paused_until: Ar saib tan {until}: {newsletters}.
done_resumed: Mae’n parhau: {newsletters}. Bydd y rhifyn nesaf yn cynnwys y gorau o’r hyn a golloch.
done_left: Rydych wedi gadael {newsletters}. Ni anfonir dim mwy ohono atoch.
done_undone: Wedi’i ddadwneud. Mae popeth fel yr oedd.
undo: Dadwneud
why_title: Pam ydw i’n cael hwn?
joined_confirmed: Fe wnaethoch danysgrifio a chadarnhau hynny ar {date}.
joined_confirmed_on: Fe wnaethoch danysgrifio ar {site} a chadarnhau hynny ar {date}.
joined_added: Ychwanegodd y cyhoeddwr chi, ar eich cais, ar {date}.
joined_imported: Roeddech wedi tanysgrifio gyda’r cyhoeddwr o’r blaen; trosglwyddwyd hynny ar {date}.
why_words: Roedd y geiriau hyn wrth ymyl y botwm:
why_sender: Fe’i hanfonir gan {publisher}.
why_complain: Nid chi oedd hynny? Gadewch yma, neu ysgrifennwch at {address}.
all_title: Pob un ohonynt
leave_all: Gadael pob cylchlythyr
leave_all_hint: Mae’n stopio ar unwaith. Gallwch ei ddadwneud am ddiwrnod.
others_title: Mae rhagor i’w ddarllen
save: Cadw
leave_one: Gadael {newsletter}
manage_nothing: Nid oes dim yn dod i’r cyfeiriad hwn mwyach.
see_all: Gweld beth sydd i’w ddarllen

# The archive
archive_title: {newsletter}: rhifynnau blaenorol
past_editions: Rhifynnau blaenorol
archive_earlier: {newsletter}, cynharach
stories_one: {n} stori
stories_other: {n} stori
archive_none: Nid oes rhifyn wedi’i anfon eto.
archive_no_earlier: Nid oes rhai cynharach.
pages: Tudalennau
archive_older: Rhifynnau cynharach
archive_newest: Y rhifynnau diweddaraf
by_mail: Ei gael drwy e-bost
by_feed: Ei ddilyn mewn darllenydd ffrydiau
more_of: Rhagor o’r cylchlythyr hwn

# When something is wrong
see_all_newsletters: Gweld pob cylchlythyr
our_address: Ein cyfeiriad yw {address}.
fail_again: Rhowch gynnig arall arni ymhen munud.
fail_404_title: Nid oes tudalen o’r fath
fail_404: Efallai i’r cyfeiriad gael ei dorri ar y ffordd, neu fod y dudalen wedi mynd. Os daethoch drwy ddolen mewn neges, rhowch gynnig arni eto yn y neges ei hun.
fail_405_title: Nid yw hynny’n gweithio yma
fail_405: Ni ellir defnyddio’r cyfeiriad hwn felly. Os daethoch drwy ddolen, ewch yn ôl a rhowch gynnig arall arni.
fail_413_title: Roedd hynny’n ormod
fail_413: Mae’r hyn a anfonwyd yn fwy nag y mae’r cyfeiriad hwn yn ei dderbyn.
fail_429_title: Un eiliad, os gwelwch yn dda
fail_429: Rhoddwyd cynnig ar hyn yn aml iawn mewn amser byr. Nid oes dim wedi’i golli; rhowch gynnig arall arni’n nes ymlaen.
fail_409_title: Nid yw hynny’n bosibl nawr
fail_409: Mae rhywbeth arall wedi newid yn y cyfamser. Edrychwch eto.
fail_403_title: Nid yw hynny’n bosibl
fail_403: Ni allwch wneud hyn.
fail_422_title: Nid yw rhywbeth yn iawn eto
fail_422: Edrychwch ar yr hyn a enwir isod a rhowch gynnig arall arni.
fail_401_title: Dywedwch pwy ydych chi
fail_401: Anfonwch docyn API dilys: Authorization: Bearer …
fail_415_title: Ni ellir darllen hynny
fail_415: Mae’r hyn a anfonwyd o fath nad yw’r cyfeiriad hwn yn ei dderbyn.
fail_503_title: Mae hyn yn cymryd gormod o amser
fail_503: Rydym yn brysur iawn ar hyn o bryd. Nid oes dim wedi’i golli.
fail_500_title: Aeth rhywbeth o’i le
fail_500: Ein camgymeriad ni ydyw, ac mae wedi’i nodi. Rhowch gynnig arall arni ymhen ychydig funudau.
fail_400_title: Ni weithiodd hynny
fail_400: Ewch yn ôl a rhowch gynnig arall arni.

# Y ddolen newydd, a’r hyn mae’n ei agor
link_title: Dolen i’ch tudalen
link_lead: Teipiwch y cyfeiriad rydym yn ysgrifennu ato. Os ydym yn ei adnabod, anfonwn ddolen i’ch tudalen yno: beth rydych yn ei gael, eich enw, a phopeth rydym yn ei gadw amdanoch.
link_button: Anfon dolen ataf
link_sent: Os ydym yn ysgrifennu at y cyfeiriad hwn, mae dolen i’ch tudalen ar ei ffordd. Mae’n agor popeth am 15 munud.
link_limits: Mae un cyfeiriad yn cael dolen fel hyn bob 15 munud ar y mwyaf, a dim mwy na thair neges y dydd am ei danysgrifiadau.
stale_title: Mae angen dolen newydd ar gyfer hyn
stale_lead: Mae cylchlythyrau’n cael eu hanfon ymlaen, felly dim ond yr hyn sy’n dod y mae’r ddolen ynddynt yn ei agor. Ar gyfer eich enw a’ch data anfonwn ddolen i {address}, sy’n agor popeth am 15 munud.
own_title: Chi a’ch data
own_fresh: Gan fod y ddolen i’r dudalen hon yn newydd, mae’n agor hyn hefyd, nes ei bod yn 15 munud oed:
own_details: Eich enw a’ch iaith
own_receipt: Beth y cytunoch iddo, a beth anfonwyd atoch
own_export: Lawrlwytho popeth rydym yn ei gadw amdanoch
own_erase: Dileu’r cyfan
own_back: Yn ôl at yr hyn rydych yn ei gael
details_name: Ar gyfer ein cofnodion yn unig y mae: nid yw yn ein negeseuon.
details_language: Iaith y tudalennau hyn a’n negeseuon am eich tudalen. Mae gan gylchlythyr ei iaith ei hun.
details_browser: Fel y mae fy mhorwr yn ei ddymuno
details_saved: Wedi’i gadw.
receipt_of: Am {address}, ar {date}.
receipt_consents: Beth y cytunoch iddo a’i newid
receipt_requested: {date}: tanysgrifiodd rhywun i {newsletter} gyda’ch cyfeiriad
receipt_confirmed: {date}: cadarnhaoch eich bod am gael {newsletter}
receipt_added: {date}: ychwanegodd y cyhoeddwr chi at ddarllenwyr {newsletter}
receipt_imported: {date}: cymerodd y cyhoeddwr chi o restr ar gyfer {newsletter}
receipt_left: {date}: gadawoch {newsletter}
receipt_undone: {date}: dadwnaethoch yr hyn yr oeddech wedi’i newid am {newsletter}
receipt_removed: {date}: daeth y cyhoeddwr â {newsletter} i ben i chi
receipt_changed: {date}: newidiwyd eich dewisiadau, ar gyfer {newsletter}
receipt_page: Roedd y ffurflen ar {page}
receipt_words: Roedd y geiriau hyn wrth ymyl y botwm:
receipt_editions: Beth anfonwyd atoch
receipt_none: Dim byd hyd yma.
receipt_accepted: trosglwyddwyd ar {date}
receipt_returned: trosglwyddwyd ar {date}, a daeth yn ôl
receipt_refused: nid oedd modd ei ddanfon
receipt_doubt: anfonwyd ar {date}; ni ŵyr neb a gyrhaeddodd
receipt_waiting: eto i’w anfon
receipt_see: Ei weld fel yr anfonwyd ef
receipt_older: Rhai hŷn
export_lead: Popeth rydym yn ei gadw am {address}: eich dewisiadau a’u hanes, y geiriau y cytunoch iddynt, a beth anfonwyd atoch.
export_html: Tudalen i’w darllen a’i hargraffu
export_json: Data ar gyfer rhaglen (JSON)
export_others: Nid yw nodiadau gan eraill, a all fod am bobl eraill hefyd, ynddo. Ysgrifennwch atom os ydych am weld y rhai amdanoch chi.
erase_lead: Rydym yn dileu popeth a gadwn am {address}: eich enw, eich tanysgrifiadau a’u hanes, a beth anfonwyd atoch. Mae’n digwydd ar unwaith ac am byth, ac ni ellir ei ddadwneud.
erase_stays: Mae ôl bys o’ch cyfeiriad yn aros, na all neb ei ddarllen ohono, fel na fydd unrhyw restr yn dod â chi’n ôl. Gallwch danysgrifio eto ar unrhyw adeg.
erase_sure: Ie, dileu’r cyfan
erase_tick: Ticiwch y blwch yn gyntaf, gan na ellir dadwneud hyn.
erase_button: Dileu
erased_title: Mae wedi’i ddileu
erased_lead: Ac eithrio’r ôl bys hwnnw nid ydym yn cadw dim amdanoch mwyach, ac ni anfonir dim atoch.
