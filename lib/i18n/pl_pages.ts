/**
 * Every text that only the server needs, in Polish.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { PageTexts } from "./en_pages.ts";

/** The texts. */
export const plPages: PageTexts = {
  name: "Ephemeral P2P Image",
  description:
    "Pokaż zdjęcie jednej osobie, jeden raz. Trafia z twojej przeglądarki do drugiej, zaszyfrowane; potem znika.",
  skip: "Przejdź do treści",
  footer: {
    guarantees: "Co to zapewnia, a czego nie",
    home: "Pokaż zdjęcie",
    language: "Język",
    change: "Zmień",
    build: "Wersja",
  },
  changed: {
    title: "Kod tej strony zmienił się od ostatniego razu.",
    text:
      "To normalne, jeśli ten, kto prowadzi serwer, go zaktualizował. Jeśli nikt nie miał tego robić, zapytaj, zanim cokolwiek pokażesz.",
    more: "Co oznacza ta liczba",
    dismiss: "W porządku",
  },
  offline: {
    title: "Brak połączenia",
    text:
      "Ty albo serwer nie macie połączenia. Otwarty wcześniej link nadal tu jest: zadziała, gdy połączenie wróci, o ile druga osoba nie zamknie strony.",
    again: "Ponów",
  },
  share: {
    title: "Zdjęcie nie dotarło",
    text:
      "Ta aplikacja odbiera udostępnione zdjęcia wewnątrz przeglądarki, a nie była jeszcze gotowa. Nic ze zdjęcia nie zachowano. Udostępnij je ponownie albo wybierz na pierwszej stronie.",
  },
  access: {
    title: "Kto może tu pokazywać zdjęcia",
    intro:
      "Ten serwer prosi o klucz dostępu, zanim pokażesz zdjęcie. Poda ci go ten, kto prowadzi serwer.",
    label: "Klucz dostępu",
    enter: "Dalej",
    wrong: "To nie ten klucz. Sprawdź go i spróbuj ponownie.",
    wait: "Za dużo błędnych kluczy. Czas oczekiwania do następnej próby: {duration}.",
    joining: "Do obejrzenia zdjęcia nie potrzeba klucza: otwórz otrzymany link albo wpisz kod.",
  },
  error: {
    notFoundTitle: "Nic tu nie ma",
    notFound: "Adres jest błędny albo strony już nie ma.",
    title: "Coś poszło nie tak",
    text:
      "To nie twoja wina. Nic z twojego zdjęcia nie było na tym serwerze. Spróbuj ponownie za chwilę.",
    home: "Na początek",
    noScript: "Ta strona wymaga JavaScriptu: szyfrowanie odbywa się w twojej przeglądarce.",
  },
  build: {
    title: "Jaki kod u ciebie działa",
    none: "To serwer do prac rozwojowych. To, co wydaje, zmienia się cały czas i nie ma numeru.",
    points: [
      "Ta liczba to SHA-256 wszystkich plików, które ta wersja serwera wydaje przeglądarkom.",
      "Każdy może jednym poleceniem zbudować tę samą liczbę z opublikowanych źródeł i porównać pliki, które ten serwer naprawdę wysyła. README mówi jak.",
      "Tam, gdzie pokazujesz zdjęcia, przeglądarka zapamiętuje tę liczbę i mówi, gdy się zmieni.",
      "Nieuczciwy serwer mógłby pokazać starą liczbę z nowym kodem: sama liczba niczego nie dowodzi. Jest po to, aby uczciwe zmiany były widoczne, a nieuczciwe mógł znaleźć ten, kto porówna pliki.",
    ],
  },
  security: {
    title: "Co to zapewnia, a czego nie",
    sections: [{
      title: "Czego dowiaduje się ten serwer",
      points: [
        "Że dwa adresy internetowe spotkały się tutaj, kiedy i na jak długo.",
        "Jakie są cyfry dyktowanego kodu. Jego słowa i tajna część linku nigdy nie opuszczają waszych dwóch przeglądarek.",
        "Sesję trzyma w pamięci najwyżej godzinę i zapomina ją, gdy tylko ktoś z was ją zakończy.",
      ],
    }, {
      title: "Czego nie może",
      points: [
        "Zobaczyć zdjęcia. Trafia ono z przeglądarki do przeglądarki, zaszyfrowane. Serwer nigdy nie ma klucza. Tam, gdzie sieci nie przepuszczają nic innego, może przejść przez ten serwer, nadal zaszyfrowane.",
        "Wślizgnąć się pomiędzy was. Obie przeglądarki sprawdzają się nawzajem i przerywają, gdy cokolwiek po drodze podmieniono.",
        "Odczytać go później. Nawet z nagraniem wszystkiego i komputerem kwantowym.",
      ],
    }, {
      title: "Kto wchodzi",
      points: [
        "Z linkiem: pierwsza osoba, która ma go w całości i naciśnie „Połącz”. Wyślij go jednej osobie.",
        "Z dyktowanym kodem: kto usłyszy go w całości, zanim użyje go druga osoba, może zająć jej miejsce. Po trzech błędnych próbach kod przestaje działać.",
        "Dla pewności porównajcie: po połączeniu obie strony pokazują siedem obrazków. Jeśli druga osoba widzi te same, to naprawdę ona i nikogo nie ma pomiędzy wami.",
        "Nawet wtedy zdjęcie jest zablokowane, dopóki druga osoba nie naciśnie „Pokaż”. Spal je wcześniej, a zostanie zablokowane.",
      ],
    }, {
      title: "Czemu nikt nie zapobiegnie",
      points: [
        "Zrzutowi ekranu albo fotografii ekranu. Znak wodny mówi, skąd pochodzi kopia; nie powstrzymuje przed jej zrobieniem.",
        "Zmienionemu oprogramowaniu drugiej osoby. „Odbiorca zgłosił zamknięcie” to słowa drugiej przeglądarki, a nie dowód.",
        "Temu, że każde z was widzi adres IP drugiej osoby: przeglądarki łączą się bezpośrednio, chyba że ukryjesz swój, a ten serwer ma serwer pośredni.",
        "Innemu programowi. Pochodzi on od tego, kto prowadzi ten serwer, a rozszerzenia przeglądarki mogą czytać wszystko. Używaj serwera, któremu ufasz, albo prowadź własny.",
      ],
    }],
  },
};
