# Las palabras fijas de los correos en español.

weekdays: Domingo, Lunes, Martes, Miércoles, Jueves, Viernes, Sábado
months: enero, febrero, marzo, abril, mayo, junio, julio, agosto, septiembre, octubre, noviembre, diciembre
date: {weekday}, {day} de {month} de {year}

more_news: Más noticias
by: Por {author}
why: Recibe este correo porque está suscrito a {newsletter}.
manage: Cambiar lo que recibe
unsubscribe: Darse de baja
forwarded: ¿Le han reenviado este correo?
sign_up: Suscríbase a {newsletter}
privacy: Política de privacidad
advertisement: Publicidad
paid_by: Pagado por {sponsor}
visit: Más de {sponsor}
earlier: Antes, esta semana
corrections: Correcciones
more_on_site: Y más artículos en nuestro sitio
more_on_site_one: Y un artículo más en nuestro sitio
more_on_site_other: Y {n} artículos más en nuestro sitio
label: {words}:
view_in_browser: Ver en el navegador
related: Lea también
withdrawn: Este artículo fue retirado el {day} de {month} de {year} a las {time}.

cadence_daily: cada día
cadence_weekly: cada semana
cadence_immediate: al publicarse

confirm_subject: Confirme, por favor: {newsletters}
confirm_preheader: Un paso más y los correos llegarán a {address}.
confirm_title: Confirme, por favor
confirm_asked: Alguien ha pedido que se envíe lo siguiente a {address}:
confirm_do: Si ha sido usted, confírmelo en nuestra página:
confirm_button: Confirmar y suscribirse
confirm_copy: Si el botón no funciona, copie esta dirección en su navegador:
confirm_valid: El enlace funciona una sola vez, durante {days} días.
confirm_else: Si no ha sido usted, no haga caso de este correo: no se enviará nada.

already_subject: Ya lo recibe: {newsletters}
already_preheader: No ha cambiado nada. Aquí puede elegir la frecuencia, hacer una pausa o darse de baja.
already_title: Ya lo recibe
already_asked: Alguien ha pedido que se envíe lo siguiente a {address}, donde ya se recibe:
already_do: No ha cambiado nada. Para elegir la frecuencia, hacer una pausa o darse de baja, abra su página.
already_button: Cambiar lo que recibe
already_copy: Si el botón no funciona, copie esta dirección en su navegador:
already_else: Si no ha sido usted, no haga caso de este correo: no ha cambiado nada.

list_and: {list} y {last}
consent_any: Quiero recibir por correo electrónico los boletines que elijo.
consent: Quiero recibir {newsletters} por correo electrónico.
consent_from: Quiero recibir {newsletters} de {senders} por correo electrónico.
consent_use: Mi dirección se usa solo para esto, y puedo darme de baja en cualquier momento con el enlace de cada correo.
consent_privacy: Más sobre el tratamiento de mis datos

notice_copy: Si el botón no funciona, copie esta dirección en su navegador:
link_subject: El enlace a su página: {sender}
link_preheader: Durante {minutes} minutos lo abre todo.
link_title: Abra su página
link_say: Alguien nos ha pedido un enlace a la página de {address}. En ella puede elegir lo que recibe, cambiar su nombre y su idioma, ver todo lo que guardamos sobre usted o pedir que se borre.
link_button: Abrir su página
link_valid: Durante {minutes} minutos el enlace lo abre todo. Después solo abre lo que recibe, y la página puede enviarle otro.
link_else: Si no ha sido usted, no haga caso de este correo: no ha cambiado nada. No se lo pase a nadie.
address_subject: Confirme su nueva dirección, por favor: {sender}
address_preheader: Un paso más y sus correos llegarán a {address}.
address_title: Confirme su nueva dirección, por favor
address_say: Alguien que recibe correos de {sender} ha pedido que a partir de ahora se envíen a {address}. Si ha sido usted, confírmelo en nuestra página:
address_button: Usar esta dirección
address_valid: El enlace funciona una sola vez, durante {hours} horas.
address_else: Si no ha sido usted, no haga caso de este correo: no se enviará nada.
taken_subject: Esta dirección tiene sus propias suscripciones: {sender}
taken_preheader: No ha cambiado nada.
taken_title: Esta dirección tiene sus propias suscripciones
taken_say: Alguien que recibe correos de {sender} ha pedido que a partir de ahora se envíen a {address}. Esta dirección tiene, o tuvo, sus propias suscripciones, así que no ha cambiado nada: no unimos a dos suscriptores.
taken_button: Cambiar lo que recibe
taken_valid: Para recibirlo todo aquí, elíjalo en esta página y dé de baja la otra dirección.
taken_else: Si no ha sido usted, no haga caso de este correo: no ha cambiado nada.
moved_subject: Sus correos van ahora a otra dirección: {sender}
moved_preheader: Hasta ahora llegaban a {address}.
moved_title: Sus correos van ahora a otra dirección
moved_say: Lo que {sender} enviaba a {address} se envía a partir de ahora a {other}. Alguien lo ha pedido con un enlace que habíamos enviado a esta dirección y lo ha confirmado en la nueva.
moved_button: Deshacer el cambio
moved_valid: Puede deshacerlo durante {days} días.
moved_else: Si ha sido usted, no tiene que hacer nada.

welcome_subject: Le damos la bienvenida: {newsletter}
welcome_preheader: Su suscripción está confirmada.
welcome_say: Gracias, su suscripción está confirmada. Abajo encontrará los enlaces para cambiar lo que recibe, hacer una pausa o darse de baja.
welcome_first: Su primera edición: {date}, {time}.
welcome_first_open: Su primera edición llegará en cuanto esté lista.
welcome_edition: Leer la última edición completa
welcome_stories: Los titulares de la última edición
