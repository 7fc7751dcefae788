/**
 * Every text that only the server needs, in German.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { PageTexts } from "./en_pages.ts";

/** The texts. */
export const dePages: PageTexts = {
  name: "Ephemeral P2P Image",
  description:
    "Zeig jemandem ein Bild, einmal. Es geht verschlüsselt von Browser zu Browser; dann ist es weg.",
  skip: "Zum Inhalt springen",
  footer: {
    guarantees: "Was dies verspricht und was nicht",
    home: "Ein Bild zeigen",
    language: "Sprache",
    change: "Ändern",
    build: "Version",
  },
  changed: {
    title: "Der Code dieser Seite hat sich seit deinem letzten Besuch geändert.",
    text:
      "Das ist normal, wenn der Server aktualisiert wurde. Sollte das niemand tun, frag nach, bevor du etwas zeigst.",
    more: "Was diese Zahl bedeutet",
    dismiss: "In Ordnung",
  },
  offline: {
    title: "Keine Verbindung",
    text:
      "Du bist offline oder der Server ist es. Ein geöffneter Link ist noch da: Er gilt, sobald du wieder da bist und solange die andere Seite offen bleibt.",
    again: "Noch einmal",
  },
  share: {
    title: "Dein Bild ist nicht angekommen",
    text:
      "Diese App nimmt geteilte Bilder in deinem Browser entgegen und war nicht bereit. Nichts vom Bild wurde behalten. Teile es noch einmal oder wähle es auf der Startseite.",
  },
  access: {
    title: "Wer hier Bilder zeigen darf",
    intro:
      "Dieser Server verlangt vorher seinen Zugangsschlüssel. Wer ihn betreibt, kann ihn dir sagen.",
    label: "Zugangsschlüssel",
    enter: "Weiter",
    wrong: "Das ist nicht der Schlüssel. Prüfe ihn und versuch es noch einmal.",
    wait: "Zu viele falsche Schlüssel. Wartezeit: {duration}.",
    joining:
      "Zum Ansehen brauchst du keinen Schlüssel: Öffne den Link oder tippe den Code ein, den du bekommen hast.",
  },
  error: {
    notFoundTitle: "Hier ist nichts",
    notFound: "Die Adresse stimmt nicht, oder die Seite ist weg.",
    title: "Hier ist etwas schiefgegangen",
    text:
      "Es liegt nicht an dir. Nichts von deinem Bild war auf diesem Server. Versuch es gleich noch einmal.",
    home: "Zum Anfang",
    noScript: "Diese Seite braucht JavaScript: Verschlüsselt wird in deinem Browser.",
  },
  build: {
    title: "Welcher Code bei dir läuft",
    none:
      "Dies ist ein Server zum Entwickeln. Was er ausgibt, ändert sich ständig und hat keine Zahl.",
    points: [
      "Diese Zahl ist der SHA-256 aller Dateien, die dieser Server Browsern geben soll.",
      "Aus dem veröffentlichten Quelltext kann jeder mit einem Befehl dieselbe Zahl erzeugen und die Dateien vergleichen, die dieser Server wirklich schickt. Wie, steht in der README.",
      "Wo du Bilder zeigst, merkt sich dein Browser die Zahl und sagt dir, wenn sie sich ändert.",
      "Ein unehrlicher Server könnte dir die alte Zahl mit neuem Code zeigen: Die Zahl allein beweist nichts. Sie macht ehrliche Änderungen sichtbar, und unehrliche findet, wer die Dateien vergleicht.",
    ],
  },
  security: {
    title: "Was dies verspricht und was nicht",
    sections: [{
      title: "Was dieser Server erfährt",
      points: [
        "Dass sich hier zwei Adressen aus dem Internet getroffen haben, wann und wie lange.",
        "Die Ziffern eines gesprochenen Codes. Seine Wörter und der geheime Teil eines Links verlassen eure beiden Browser nie.",
        "Er behält eine Sitzung höchstens eine Stunde im Speicher und vergisst sie, sobald jemand von euch sie beendet.",
      ],
    }, {
      title: "Was er nicht kann",
      points: [
        "Das Bild sehen. Es geht verschlüsselt von Browser zu Browser. Der Server hat den Schlüssel nie. Wo Netze nichts anderes durchlassen, kann es über diesen Server laufen, weiterhin verschlüsselt.",
        "Sich dazwischendrängen. Beide Browser prüfen einander und halten an, wenn unterwegs etwas vertauscht wurde.",
        "Es später lesen. Auch nicht mit einer Aufzeichnung von allem und einem Quantencomputer.",
      ],
    }, {
      title: "Wer hereinkommt",
      points: [
        "Mit einem Link: wer ihn als Erstes ganz hat und Verbinden drückt. Schick ihn nur einer Person.",
        "Mit einem gesprochenen Code: Wer ihn ganz mithört, bevor er benutzt wurde, kann den Platz einnehmen. Nach drei falschen Versuchen gilt er nicht mehr.",
        "Um sicher zu sein, vergleicht: Verbunden zeigen beide Seiten sieben Bilder. Seht ihr dieselben, ist niemand dazwischen.",
        "Auch dann ist das Bild verschlossen, bis „Zeigen“ gedrückt wird. Verbrennst du es vorher, bleibt es verschlossen.",
      ],
    }, {
      title: "Was niemand verhindern kann",
      points: [
        "Ein Bildschirmfoto oder ein Foto des Bildschirms. Das Wasserzeichen sagt, woher eine Kopie kommt; es hält sie nicht auf.",
        "Veränderte Software auf der anderen Seite. „Geschlossen gemeldet“ ist, was der andere Browser sagt, kein Beweis.",
        "Dass ihr gegenseitig eure IP-Adressen seht: Die Browser verbinden sich direkt, außer du verbirgst deine und der Server hat ein Relay.",
        "Ein anderes Programm. Es kommt von dem, der diesen Server betreibt, und Browser-Erweiterungen können mitlesen. Nimm einen Server, dem du traust, oder deinen eigenen.",
      ],
    }],
  },
};
