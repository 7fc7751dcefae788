/**
 * Every text that only the server needs, in Spanish.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { PageTexts } from "./en_pages.ts";

/** The texts. */
export const esPages: PageTexts = {
  name: "Ephemeral P2P Image",
  description:
    "Muestra a alguien una foto, una vez. Va de navegador a navegador, cifrada; luego desaparece.",
  skip: "Ir al contenido",
  footer: {
    guarantees: "Lo que esto garantiza y lo que no",
    home: "Mostrar una foto",
    language: "Idioma",
    change: "Cambiar",
    build: "Versión",
  },
  changed: {
    title: "El código de esta página ha cambiado desde tu última visita.",
    text:
      "Es normal si se actualizó este servidor. Si nadie iba a hacerlo, pregunta antes de mostrar nada.",
    more: "Qué significa este número",
    dismiss: "De acuerdo",
  },
  offline: {
    title: "Sin conexión",
    text:
      "Estás sin conexión, o lo está el servidor. Un enlace que abriste sigue aquí: funciona cuando vuelvas, mientras tu amigo deje la página abierta.",
    again: "Reintentar",
  },
  share: {
    title: "Tu foto no llegó",
    text:
      "Esta aplicación recibe las fotos compartidas dentro de tu navegador, y no estaba lista. No se guardó nada de la foto. Compártela otra vez o elígela en la primera página.",
  },
  access: {
    title: "Quién puede mostrar fotos aquí",
    intro: "Este servidor pide antes su clave de acceso. Quien lo gestiona puede decírtela.",
    label: "Clave de acceso",
    enter: "Continuar",
    wrong: "Esa no es la clave. Compruébala y prueba de nuevo.",
    wait: "Demasiadas claves incorrectas. Espera: {duration}.",
    joining:
      "Para ver una foto no necesitas clave: abre el enlace, o escribe el código, que recibiste.",
  },
  error: {
    notFoundTitle: "Aquí no hay nada",
    notFound: "La dirección no es correcta, o la página ya no existe.",
    title: "Algo salió mal aquí",
    text:
      "No es culpa tuya. Nada de tu foto estaba en este servidor. Prueba de nuevo en un momento.",
    home: "Al principio",
    noScript: "Esta página necesita JavaScript: el cifrado ocurre en tu navegador.",
  },
  build: {
    title: "Qué código ejecutas",
    none: "Este es un servidor de desarrollo. Lo que da cambia todo el tiempo y no tiene número.",
    points: [
      "Este número es el SHA-256 de todos los archivos que este servidor debe dar a los navegadores.",
      "Cualquiera puede crear el mismo número con el código publicado y un comando, y comparar los archivos que este servidor envía de verdad. El README dice cómo.",
      "Donde muestras fotos, tu navegador recuerda el número y avisa cuando cambia.",
      "Un servidor deshonesto podría mostrarte el número antiguo con código nuevo: el número solo no prueba nada. Sirve para que se vean los cambios honestos, y quien compara los archivos encuentra los otros.",
    ],
  },
  security: {
    title: "Lo que esto garantiza y lo que no",
    sections: [{
      title: "Lo que aprende este servidor",
      points: [
        "Que dos direcciones de internet se encontraron aquí, cuándo y cuánto tiempo.",
        "Las cifras de un código hablado. Sus palabras y la parte secreta de un enlace nunca salen de vuestros navegadores.",
        "Guarda una sesión en memoria una hora como máximo, y la olvida en cuanto uno de los dos la termina.",
      ],
    }, {
      title: "Lo que no puede hacer",
      points: [
        "Ver la foto. Va de navegador a navegador, cifrada. El servidor nunca tiene la clave. Donde las redes no dejan pasar nada más, puede pasar por este servidor, igualmente cifrada.",
        "Colarse en medio. Los dos navegadores se comprueban y se detienen si algo se cambió por el camino.",
        "Leerla después. Ni con una grabación de todo y un ordenador cuántico.",
      ],
    }, {
      title: "Quién entra",
      points: [
        "Con un enlace: el primero que lo tiene entero y pulsa Conectar. Envíalo a una sola persona.",
        "Con un código hablado: quien lo oiga entero antes de que tu amigo lo use puede ocupar su lugar. Deja de funcionar tras tres intentos fallidos.",
        "Para estar seguro, compara: una vez conectadas, las dos páginas muestran siete imágenes. Si tu amigo ve las mismas, no hay nadie en medio.",
        "Aun así la foto sigue bloqueada hasta que tu amigo pulse «Ver». Quémala antes y seguirá bloqueada.",
      ],
    }, {
      title: "Lo que nadie puede impedir",
      points: [
        "Una captura o una foto de la pantalla. La marca de agua dice de dónde viene una copia; no la impide.",
        "Un amigo con software modificado. «Se informó del cierre» es lo que dice el otro navegador, no una prueba.",
        "Que cada uno vea la dirección IP del otro: los navegadores se conectan directamente, salvo que ocultes la tuya y este servidor tenga un relé.",
        "Otro programa. Viene de quien gestiona este servidor, y las extensiones del navegador pueden leer también. Usa un servidor de confianza o el tuyo.",
      ],
    }],
  },
};
