# Las palabras fijas de las páginas en español.

# Days and times
days: domingo, lunes, martes, miércoles, jueves, viernes, sábado
days_between: domingo, lunes, martes, miércoles, jueves, viernes, sábado
days_each: los domingos, los lunes, los martes, los miércoles, los jueves, los viernes, los sábados
days_range: de {first} a {last}
every_day: todos los días
rule: {days} a las {time}
rules: {rules}, {zone}
zone: hora de {city}
or: {list} o {last}
date_short: {weekday} {day} de {month}
date_long: {weekday} {day} de {month} de {year}
due_today: hoy a las {time}, {zone}
due_tomorrow: mañana, {date}, a las {time}, {zone}
due_on: el {date} a las {time}, {zone}
due_both: {when} ({time}, {zone})
minutes_one: {n} minuto
minutes_other: {n} minutos
hours_one: {n} hora
hours_other: {n} horas
immediate_any: cuando hay noticias, como mucho un correo en {time}
immediate_any_hours: cuando hay noticias entre las {from} y las {until}, {zone}, como mucho un correo en {time}
immediate_important: cuando hay noticias importantes, como mucho un correo en {time}
immediate_important_hours: cuando hay noticias importantes entre las {from} y las {until}, {zone}, como mucho un correo en {time}
everything: todo

# Around every page
skip: Ir al contenido
newsletters: Boletines
all_newsletters: Todos los boletines
and: {list} y {last}
language: Idioma
language_name: Español

# Signing up
check: Revise
newsletters_of: Boletines de {publisher}
home_title: Las noticias en su bandeja de entrada
home_lead: Elija lo que quiere leer. Puede cambiar de opinión, o darse de baja, en cualquier momento.
home_nothing: Todavía no hay nada que recibir
home_nothing_lead: Ahora mismo no hay ningún boletín aquí. Vuelva más tarde.
more_about: Más información
look_again_one: Revise esto, por favor
look_again_other: Revise esto, por favor
email: Su dirección de correo
name: Su nombre
time_zone: Su zona horaria
optional: (opcional)
how_often: Con qué frecuencia
what_about: Sobre qué
what_about_hint: Deje todo en blanco para recibirlo todo.
sign_up_button: Suscribirse
sign_up_once: Le enviamos un correo para asegurarnos de que es usted. Solo recibirá el boletín cuando lo confirme.
leave_empty: Deje esto en blanco
read_past: Leer ediciones anteriores
closed: Este boletín está cerrado: nadie puede suscribirse y ya no se envía nada.
not_yet: Todavía nadie puede suscribirse a este boletín. Vuelva más tarde: el editor lo sabe.
see_others: Ver los otros boletines
sending: Enviando…
offline: No tiene conexión. No se ha enviado nada; inténtelo de nuevo cuando la tenga.
unreachable: No ha llegado. Inténtelo de nuevo en un momento.
busy: Se está suscribiendo mucha gente. Un momento…
problem_email: No podemos escribir a esta dirección de correo. Revísela; es parecida a nombre@example.org.
problem_name: Acorte su nombre o escríbalo de nuevo.
problem_newsletter: Elija un boletín.
problem_cadence: Elija con qué frecuencia debe llegar.
problem_slot: Elija cuándo debe llegar.
problem_section: Elija entre los temas que hay.
problem_time_zone: No es el nombre de una zona horaria, como Europe/Madrid.
problem_until: Elija un día posterior a hoy, dentro de un año.

# After signing up
check_inbox: Mire su bandeja de entrada
check_inbox_for: Falta un paso para recibir {newsletters}. Le enviamos un correo: ábralo y siga el enlace.
check_inbox_step: Falta un paso. Le enviamos un correo: ábralo y siga el enlace.
from: De
subject: Asunto
nothing_there: ¿No ha llegado nada?
nothing_wait: Puede tardar unos minutos.
nothing_spam: Mire en la carpeta de correo no deseado o de promociones.
nothing_already: ¿Ya lo recibe? Entonces el correo lo dice, y cómo cambiarlo.
nothing_slip: Quizá haya una errata en la dirección.
try_again: Volver a intentarlo
nothing_write_to: ¿Sigue sin llegar nada después de una hora? Puede que antes nos hayan devuelto correos enviados a usted, o que se hayan marcado como no deseados; entonces escribimos como mucho una vez cada treinta días, o nunca. Escriba a {address} y lo arreglaremos.
nothing_write: ¿Sigue sin llegar nada después de una hora? Puede que antes nos hayan devuelto correos enviados a usted, o que se hayan marcado como no deseados; entonces escribimos como mucho una vez cada treinta días, o nunca. Escríbanos y lo arreglaremos.

# The confirmation link
confirm_page: Confirme su suscripción
confirm_question: ¿Es esto lo que quiere?
confirm_lead: Pulse el botón y llegará a {address}.
confirm_yes: Sí, quiero suscribirme
confirm_not_you: ¿No lo ha pedido usted? Cierre esta página: no se enviará nada.
expired_title: Este enlace es demasiado antiguo
expired_lead: Valía siete días. ¿Quiere que enviemos uno nuevo a {address}?
expired_button: Envíenme un enlace nuevo
used_title: Este enlace ya se ha usado
used_lead: Sirve una sola vez. Abrirlo de nuevo no cambia nada.
used_standing: Así está {address}:
used_active: Lo recibe.
used_paused: Está en pausa.
used_left: Se ha dado de baja.
used_pending: No está confirmado.
sign_up_again: Suscribirse de nuevo
used_every_mail: Cada correo nuestro lleva un enlace para cambiar lo que recibe o darse de baja.
confirmed_title: Ya está
confirmed_lead: Gracias. Llegará a {address}.
confirmed_first: Su primera edición llega {when}, si para entonces hay noticias.
by_hand: La redacción lo envía cuando hay noticias; no hay día fijo.
confirmed_contacts: Para asegurarse de que le llega, añada {address} a sus contactos.
manage_title: Cambiar lo que recibe

# The unsubscribe link
leave_title: ¿Darse de baja de {newsletter}?
leave_lead: Se envía a {address}. Una pulsación y se acaba al momento.
leave_silent: Ahora no se envía nada a {address}. Una pulsación y así seguirá para este boletín.
leave_button: Darse de baja
leave_too_many: ¿Demasiados correos?
leave_choose: Elija con qué frecuencia llega y sobre qué
leave_want: ¿Lo quiere?
silent_sign_up: Suscríbase de nuevo y responda al correo de confirmación: entonces volverá.
left_title: Se ha dado de baja de {newsletter}
left_lead: No llegará nada más a {address}. Gracias por haberlo leído.
left_mistake: ¿Ha sido un error?
left_undo: Deshacer: seguir enviándolo
back_title: Le damos de nuevo la bienvenida
back_lead: {newsletter} vuelve a llegar a {address}, como antes.
nobody_title: No se le envía nada
nobody_lead: Ya no conocemos a nadie a quien pertenezca este enlace, así que no llegará nada. No tiene que hacer nada.
nobody_sign_up: Suscribirse a {newsletter}
forwarded_title: ¿Se lo han reenviado?
forwarded_lead: Esta página pertenece a {address}. Si no es su dirección, déjela como está y {link}.
forwarded_link: suscríbase usted
silent_write_to: Ya no escribimos a esta dirección y no podemos cambiarlo desde aquí. Si quiere el boletín, escriba a {address}.
silent_write: Ya no escribimos a esta dirección y no podemos cambiarlo desde aquí. Si quiere el boletín, escríbanos.

# The manage link
manage_lead: Estos boletines llegan a {address}.
manage_silent: Esto es lo que eligió para {address}. {nothing}
manage_silent_now: Ahora no se envía nada a esta dirección.
manage_silent_why: Los correos a su dirección fueron devueltos, o se pidió que no se enviara ninguno.
manage_next: El próximo llega {when}, si para entonces hay noticias.
manage_left: Se ha dado de baja de este boletín.
manage_paused: Está en pausa hasta que usted vuelva.
manage_paused_until: Está en pausa hasta el {until}. Después, una edición trae lo mejor de lo que se perdió.
pause: Ponerlo en pausa
pause_all: Poner todo en pausa
pause_hint: Mientras tanto no se envía nada. Después, una edición trae lo mejor de lo que se perdió.
pause_until: Día
pause_date: Hasta el día de abajo
pause_week: Una semana
pause_month: Un mes
pause_open: Hasta que vuelva
resume: Continuar ahora
done_changed: Guardado. Su próximo {newsletters} seguirá su elección.
done_changed_silent: Guardado, para cuando se le vuelva a enviar {newsletters}.
done_paused: En pausa hasta que usted vuelva: {newsletters}.
done_paused_until: En pausa hasta el {until}: {newsletters}.
done_resumed: Continúa: {newsletters}. La próxima edición trae lo mejor de lo que se perdió.
done_left: Se ha dado de baja de {newsletters}. No se le enviará nada más.
done_undone: Deshecho. Todo está como antes.
undo: Deshacer
why_title: ¿Por qué recibo esto?
joined_confirmed: Se suscribió y lo confirmó el {date}.
joined_confirmed_on: Se suscribió en {site} y lo confirmó el {date}.
joined_added: El editor le añadió a petición suya el {date}.
joined_imported: Ya se había suscrito con el editor; se trasladó el {date}.
why_words: Estas palabras estaban junto al botón:
why_sender: Lo envía {publisher}.
why_complain: ¿No fue usted? Dese de baja aquí, o escriba a {address}.
all_title: Todos a la vez
leave_all: Darse de baja de todos los boletines
leave_all_hint: Se acaba al momento. Puede deshacerlo durante un día.
others_title: Hay más para leer
save: Guardar
leave_one: Darse de baja de {newsletter}
manage_nothing: Ya no llega nada a esta dirección.
see_all: Ver lo que hay para leer

# The archive
archive_title: {newsletter}: ediciones anteriores
past_editions: Ediciones anteriores
archive_earlier: {newsletter}, anteriores
stories_one: {n} artículo
stories_other: {n} artículos
archive_none: Todavía no se ha enviado ninguna edición.
archive_no_earlier: No hay anteriores.
pages: Páginas
archive_older: Ediciones anteriores
archive_newest: Las últimas ediciones
by_mail: Recibirlo por correo
by_feed: Seguirlo en un lector de fuentes
more_of: Más de este boletín

# When something is wrong
see_all_newsletters: Ver todos los boletines
our_address: Nuestra dirección es {address}.
fail_again: Vuelva a intentarlo en un minuto.
fail_404_title: Esta página no existe
fail_404: Quizá la dirección se haya cortado por el camino, o la página ya no esté. Si llegó por un enlace de un correo, pruebe de nuevo desde el propio correo.
fail_405_title: Eso no funciona aquí
fail_405: Esta dirección no se puede usar así. Si llegó por un enlace, vuelva atrás e inténtelo de nuevo.
fail_413_title: Ha sido demasiado
fail_413: Lo enviado es mayor de lo que admite esta dirección.
fail_429_title: Un momento, por favor
fail_429: Se ha intentado muchas veces en poco tiempo. No se ha perdido nada; inténtelo más tarde.
fail_409_title: Ahora no es posible
fail_409: Entretanto ha cambiado otra cosa. Vuelva a mirar.
fail_403_title: No es posible
fail_403: No puede hacer esto.
fail_422_title: Algo no está bien todavía
fail_422: Mire lo que se indica abajo y vuelva a intentarlo.
fail_401_title: Diga quién es
fail_401: Envíe un token de API válido: Authorization: Bearer …
fail_415_title: No se puede leer
fail_415: Lo enviado es de un tipo que esta dirección no admite.
fail_503_title: Esto tarda demasiado
fail_503: Estamos muy ocupados en este momento. No se ha perdido nada.
fail_500_title: Algo ha ido mal
fail_500: El error es nuestro y ha quedado anotado. Vuelva a intentarlo en unos minutos.
fail_400_title: No ha funcionado
fail_400: Vuelva atrás e inténtelo de nuevo.

# El enlace reciente y lo que abre
link_title: Un enlace a su página
link_lead: Escriba la dirección a la que escribimos. Si la conocemos, enviamos allí un enlace a su página: lo que recibe, su nombre y todo lo que guardamos sobre usted.
link_button: Enviarme un enlace
link_sent: Si escribimos a esta dirección, un enlace a su página está en camino. Lo abre todo durante 15 minutos.
link_limits: Una dirección recibe un enlace así como mucho cada 15 minutos, y no más de tres correos al día sobre sus suscripciones.
stale_title: Para esto hace falta un enlace reciente
stale_lead: Los boletines se reenvían, por eso el enlace que llevan solo abre lo que llega. Para su nombre y sus datos enviamos a {address} un enlace que lo abre todo durante 15 minutos.
own_title: Usted y sus datos
own_fresh: Como el enlace a esta página es reciente, abre también esto, hasta que tenga 15 minutos:
own_details: Su nombre y su idioma
own_receipt: Lo que aceptó y lo que le hemos enviado
own_export: Descargar todo lo que guardamos sobre usted
own_erase: Hacer que se borre todo
own_back: Volver a lo que recibe
details_name: Es solo para nuestros registros: no aparece en nuestros correos.
details_language: Idioma de estas páginas y de nuestros correos sobre su página. Un boletín tiene su propio idioma.
details_browser: El que prefiera mi navegador
details_saved: Guardado.
receipt_of: Sobre {address}, a fecha de {date}.
receipt_consents: Lo que aceptó y cambió
receipt_requested: {date}: alguien suscribió su dirección a {newsletter}
receipt_confirmed: {date}: usted confirmó que quiere {newsletter}
receipt_added: {date}: el editor le añadió a los lectores de {newsletter}
receipt_imported: {date}: el editor le tomó de una lista para {newsletter}
receipt_left: {date}: se dio de baja de {newsletter}
receipt_undone: {date}: deshizo lo que había cambiado en {newsletter}
receipt_removed: {date}: el editor puso fin a {newsletter} para usted
receipt_changed: {date}: se cambió lo que había elegido, en {newsletter}
receipt_page: El formulario estaba en {page}
receipt_words: Estas palabras estaban junto al botón:
receipt_editions: Lo que le hemos enviado
receipt_none: Nada hasta ahora.
receipt_accepted: entregado el {date}
receipt_returned: entregado el {date}, y volvió
receipt_refused: no se pudo entregar
receipt_doubt: enviado el {date}; nadie sabe si llegó
receipt_waiting: aún por enviar
receipt_see: Verlo tal como se envió
receipt_older: Anteriores
export_lead: Todo lo que guardamos sobre {address}: lo que eligió y su historial, las palabras que aceptó y lo que le hemos enviado.
export_html: Una página para leer e imprimir
export_json: Datos para un programa (JSON)
export_others: Las notas de otros, que también pueden tratar de otras personas, no están incluidas. Escríbanos si quiere ver las que tratan de usted.
erase_lead: Borramos todo lo que guardamos sobre {address}: su nombre, sus suscripciones y su historial, y lo que le hemos enviado. Ocurre de inmediato y para siempre, y no se puede deshacer.
erase_stays: Queda una huella de su dirección, de la que nadie puede leerla, para que ninguna lista le traiga de vuelta. Puede volver a suscribirse cuando quiera.
erase_sure: Sí, borrarlo todo
erase_tick: Marque primero la casilla, porque esto no se puede deshacer.
erase_button: Borrar
erased_title: Está borrado
erased_lead: Aparte de esa huella ya no guardamos nada sobre usted, y no se le enviará nada.
