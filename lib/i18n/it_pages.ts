/**
 * Every text that only the server needs, in Italian.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { PageTexts } from "./en_pages.ts";

/** The texts. */
export const itPages: PageTexts = {
  name: "Ephemeral P2P Image",
  description:
    "Mostra a qualcuno una foto, una volta. Va da browser a browser, cifrata; poi sparisce.",
  skip: "Vai al contenuto",
  footer: {
    guarantees: "Cosa garantisce e cosa no",
    home: "Mostra una foto",
    language: "Lingua",
    change: "Cambia",
    build: "Versione",
  },
  changed: {
    title: "Il codice di questa pagina è cambiato dalla tua ultima visita.",
    text:
      "È normale se questo server è stato aggiornato. Se nessuno doveva farlo, chiedi prima di mostrare qualcosa.",
    more: "Cosa significa questo numero",
    dismiss: "Va bene",
  },
  offline: {
    title: "Nessuna connessione",
    text:
      "Sei offline, o lo è il server. Un link che hai aperto è ancora qui: funziona quando torni, finché il tuo amico tiene aperta la pagina.",
    again: "Riprova",
  },
  share: {
    title: "La tua foto non è arrivata",
    text:
      "Questa app riceve le foto condivise dentro il tuo browser, e non era pronta. Nulla della foto è stato conservato. Condividila di nuovo, o sceglila nella prima pagina.",
  },
  access: {
    title: "Chi può mostrare foto qui",
    intro: "Questo server chiede prima la sua chiave di accesso. Chi lo gestisce può dirtela.",
    label: "Chiave di accesso",
    enter: "Continua",
    wrong: "Non è la chiave. Controllala e riprova.",
    wait: "Troppe chiavi sbagliate. Attesa: {duration}.",
    joining:
      "Per guardare una foto non serve la chiave: apri il link, o scrivi il codice, che hai ricevuto.",
  },
  error: {
    notFoundTitle: "Qui non c’è nulla",
    notFound: "L’indirizzo non è giusto, o la pagina non c’è più.",
    title: "Qui qualcosa è andato storto",
    text: "Non è colpa tua. Nulla della tua foto era su questo server. Riprova tra un momento.",
    home: "All’inizio",
    noScript: "Questa pagina ha bisogno di JavaScript: la cifratura avviene nel tuo browser.",
  },
  build: {
    title: "Quale codice stai usando",
    none: "Questo è un server di sviluppo. Ciò che dà cambia di continuo e non ha un numero.",
    points: [
      "Questo numero è lo SHA-256 di tutti i file che questo server deve dare ai browser.",
      "Chiunque può ottenere lo stesso numero dal codice pubblicato con un comando, e confrontare i file che questo server invia davvero. Il README dice come.",
      "Dove mostri foto, il tuo browser ricorda il numero e avvisa quando cambia.",
      "Un server disonesto potrebbe mostrarti il vecchio numero con codice nuovo: il numero da solo non prova nulla. Serve a rendere visibili i cambiamenti onesti; gli altri li trova chi confronta i file.",
    ],
  },
  security: {
    title: "Cosa garantisce e cosa no",
    sections: [{
      title: "Cosa viene a sapere questo server",
      points: [
        "Che due indirizzi di Internet si sono incontrati qui, quando e per quanto.",
        "Le cifre di un codice detto a voce. Le sue parole e la parte segreta di un link non lasciano mai i vostri browser.",
        "Tiene una sessione in memoria per un’ora al massimo, e la dimentica appena uno di voi la termina.",
      ],
    }, {
      title: "Cosa non può fare",
      points: [
        "Vedere la foto. Va da browser a browser, cifrata. Il server non ha mai la chiave. Dove le reti non lasciano passare altro, può passare da questo server, sempre cifrata.",
        "Mettersi in mezzo. I due browser si controllano e si fermano se qualcosa è stato scambiato per strada.",
        "Leggerla dopo. Nemmeno con una registrazione di tutto e un computer quantistico.",
      ],
    }, {
      title: "Chi entra",
      points: [
        "Con un link: il primo che lo ha intero e preme Collegati. Invialo a una sola persona.",
        "Con un codice detto a voce: chi lo sente per intero prima che il tuo amico lo usi può prenderne il posto. Smette di valere dopo tre tentativi sbagliati.",
        "Per essere sicuro, confronta: una volta collegate, le due pagine mostrano sette immagini. Se il tuo amico vede le stesse, non c’è nessuno in mezzo.",
        "Anche allora la foto è bloccata finché il tuo amico non preme «Vedi». Bruciala prima, e lo resta.",
      ],
    }, {
      title: "Cosa nessuno può impedire",
      points: [
        "Una schermata o una foto dello schermo. La filigrana dice da dove viene una copia; non la ferma.",
        "Un amico con software modificato. «Chiusura segnalata» è ciò che dice l’altro browser, non una prova.",
        "Che ognuno veda l’indirizzo IP dell’altro: i browser si collegano direttamente, a meno che tu nasconda il tuo e questo server abbia un relay.",
        "Un altro programma. Viene da chi gestisce questo server, e le estensioni del browser possono leggere. Usa un server di cui ti fidi, o il tuo.",
      ],
    }],
  },
};
