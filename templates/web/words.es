# Las palabras fijas de las páginas en español.

# Around every page
skip: Ir al contenido
newsletters: Boletines
all_newsletters: Todos los boletines
and: {list} y {last}

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
